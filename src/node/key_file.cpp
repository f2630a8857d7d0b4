#include "node/key_file.hpp"

#include "node/private_file.hpp"

#include <algorithm>
#include <cstddef>

namespace starling::node {

namespace {

/// A thousand long keys.
constexpr std::size_t max_file_bytes = std::size_t{256} * 1024;

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
        line.remove_suffix(1);
    }
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
        line.remove_prefix(1);
    }
    return line;
}

}  // namespace

result<std::vector<std::string>> parse_keys(std::string_view text, std::string_view file_name) {
    std::vector<std::string> keys;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        // It goes into an HTTP header as it is.
        if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7F; })) {
            return fail(settings::errc::bad_config, std::string(file_name) + ", line " + std::to_string(number) +
                                                        ": an API key must be printable ASCII without spaces.");
        }
        keys.emplace_back(line);
    }
    return keys;
}

result<std::vector<std::string>> read_keys(const std::filesystem::path& file) {
    auto text = read_small_file(file, max_file_bytes);
    if (!text) {
        return text.error();
    }
    auto keys = parse_keys(*text, file.string());
    if (keys && keys->empty()) {
        return fail(settings::errc::bad_config,
                    "The key file " + file.string() + " holds no key; write one on a line of its own.");
    }
    return keys;
}

}  // namespace starling::node
