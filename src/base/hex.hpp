// Bytes as lowercase hex text, and back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace starling {

std::string to_hex(std::span<const std::uint8_t> bytes);

/// Fills `out` from exactly twice as many lowercase hex characters; false, with `out` in an unknown state, for any
/// other text.
bool from_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace starling
