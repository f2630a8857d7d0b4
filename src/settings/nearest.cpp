#include "settings/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace starling::settings {

namespace {

/// Longer names are no slips of the finger, and the distance below takes time by the product of both lengths.
constexpr std::size_t max_name_length = 64;

/// Letters to insert, delete or replace (Levenshtein, 1965), kept in one row.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

std::string_view nearest(std::string_view given, std::span<const std::string_view> known) {
    if (given.size() > max_name_length) {
        return {};
    }
    // A third of the letters may be wrong, and never fewer than two: "prot" is meant to be "port".
    std::size_t best = std::max<std::size_t>(2, given.size() / 3) + 1;
    std::string_view found;
    for (const std::string_view name : known) {
        const std::size_t d = distance(given, name);
        if (d < best && d < name.size()) {
            best = d;
            found = name;
        }
    }
    return found;
}

}  // namespace starling::settings
