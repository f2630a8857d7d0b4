// The same bytes, as membership holds them (std::byte) and as wire writes them (std::uint8_t).
#pragma once

#include "membership/types.hpp"

#include <cstdint>
#include <span>

namespace starling::peers {

inline std::span<const std::uint8_t> as_octets(std::span<const std::byte> from) {
    return {reinterpret_cast<const std::uint8_t*>(from.data()), from.size()};
}

inline membership::byte_string as_byte_string(std::span<const std::uint8_t> from) {
    const auto* begin = reinterpret_cast<const std::byte*>(from.data());
    return {begin, begin + from.size()};
}

}  // namespace starling::peers
