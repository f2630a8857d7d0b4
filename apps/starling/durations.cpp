#include "durations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

namespace starling::cli {

namespace {

struct unit {
    char letter;
    std::int64_t seconds;
    const char* name;
};

constexpr std::array<unit, 4> units{
    {{'d', 86'400, "day"}, {'h', 3'600, "hour"}, {'m', 60, "minute"}, {'s', 1, "second"}}};

/// Nobody means more; it keeps the multiplication below from overflowing.
constexpr std::int64_t max_count = 1'000'000'000;

constexpr double most_seconds_shown = 1e12;

const unit* unit_of(char letter) {
    for (const unit& candidate : units) {
        if (candidate.letter == letter) {
            return &candidate;
        }
    }
    return nullptr;
}

}  // namespace

result<std::chrono::seconds> parse_duration(std::string_view text, std::string_view flag, std::chrono::seconds least,
                                            std::chrono::seconds most) {
    const unit* named = text.empty() ? nullptr : unit_of(text.back());
    std::int64_t count = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size() - (named == nullptr ? 0 : 1);
    const auto read = std::from_chars(begin, end, count);
    if (read.ec == std::errc::result_out_of_range) {
        count = max_count + 1;
    }
    // A sign would be read as well, and a number without a unit could mean anything.
    if (named == nullptr || read.ec == std::errc::invalid_argument || read.ptr != end || text.front() == '-') {
        return fail(settings::errc::wrong_usage,
                    std::string(flag) + " must be a time such as 30m, 24h or 7d, not '" + std::string(text) + "'.");
    }
    const std::chrono::seconds span(count > max_count ? most.count() + 1 : count * named->seconds);
    if (span < least || span > most) {
        return fail(settings::errc::wrong_usage, std::string(flag) + " must be between " + in_words(least) + " and " +
                                                     in_words(most) + ", not " + std::string(text) + ".");
    }
    return span;
}

std::string in_words(std::chrono::seconds span) {
    const std::int64_t seconds = span.count();
    for (const unit& candidate : units) {
        const bool exact = seconds % candidate.seconds == 0;
        // A single day reads better as 24 hours, but nobody says 60 minutes for an hour.
        const bool enough = seconds >= candidate.seconds * (candidate.letter == 'd' ? 2 : 1);
        if (exact && enough) {
            const std::int64_t count = seconds / candidate.seconds;
            return std::to_string(count) + " " + candidate.name + (count == 1 ? "" : "s");
        }
    }
    return std::to_string(seconds) + " seconds";
}

std::string roughly(std::chrono::duration<double> span) {
    // max() first: what is no number becomes 0.
    const auto seconds = static_cast<long long>(std::min(std::max(0.0, span.count()), most_seconds_shown));
    std::array<char, 64> text{};
    if (seconds < 120) {
        std::snprintf(text.data(), text.size(), "%lld s", seconds);
    } else if (seconds < 7200) {
        std::snprintf(text.data(), text.size(), "%lld min", seconds / 60);
    } else {
        std::snprintf(text.data(), text.size(), "%lld h %02lld min", seconds / 3600, seconds / 60 % 60);
    }
    return text.data();
}

}  // namespace starling::cli
