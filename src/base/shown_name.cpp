#include "base/shown_name.hpp"

#include <cstdint>

namespace starling {

namespace {

struct character {
    std::uint32_t code = 0;
    std::size_t bytes = 0;  // 0: none that is valid begins here
};

/// RFC 3629: no surrogates, nothing beyond U+10FFFF, and the shortest form only.
character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t head = byte(0);
    if (head < 0x80) {
        return {head, 1};
    }
    const std::size_t size = head < 0xC0 ? 0 : head < 0xE0 ? 2 : head < 0xF0 ? 3 : head < 0xF8 ? 4 : 0;
    if (size == 0 || text.size() < size) {
        return {};
    }
    std::uint32_t code = head & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) {
            return {};
        }
        code = code << 6U | (byte(i) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return {};
    }
    return {code, size};
}

bool steers(std::uint32_t code) {
    const auto within = [code](std::uint32_t from, std::uint32_t to) { return code >= from && code <= to; };
    return code < 0x20 || within(0x7F, 0x9F) || within(0x200B, 0x200F) || within(0x2028, 0x202E) ||
           within(0x2066, 0x2069) || code == 0x061C || code == 0xFEFF;
}

}  // namespace

std::string shown_name(std::string_view given, std::size_t most) {
    std::string out;
    while (!given.empty()) {
        const character next = first_of(given);
        const bool plain = next.bytes > 0 && !steers(next.code);
        const std::size_t taken = next.bytes > 0 ? next.bytes : 1;
        const std::string_view shown = plain ? given.substr(0, taken) : std::string_view("?");
        if (out.size() + shown.size() > most) {
            break;
        }
        out += shown;
        given.remove_prefix(taken);
    }
    return out;
}

}  // namespace starling
