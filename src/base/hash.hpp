// A hash that is the same on every machine and in every run: for ids that two nodes must agree on. Not for security.
#pragma once

#include <cstdint>
#include <string_view>

namespace starling {

/// FNV-1a, 64 bits (draft-eastlake-fnv).
constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return hash;
}

}  // namespace starling
