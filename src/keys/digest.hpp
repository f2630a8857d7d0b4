// SHA-256 (FIPS 180-4) over several parts, and random bytes: what commitments, tags and nonces are made of. Called by:
// discovery, peers.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace starling::keys {

using digest = std::array<std::uint8_t, 32>;

/// Of `domain`, a zero byte and the parts, one after the other. The domain says what is hashed, so that no hash can
/// pass for another kind of hash; parts whose size is not fixed need a length of their own.
digest sha256(std::string_view domain, std::initializer_list<std::span<const std::uint8_t>> parts);

/// Fills `into` from the system's random source. At most 256 bytes, which the system gives whole. Throws
/// std::system_error when there is none.
void fill_random(std::span<std::uint8_t> into);

}  // namespace starling::keys
