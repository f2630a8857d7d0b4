// Rows of IEEE 754 binary16 ("half") and back, as they travel between stages. Bytes are little-endian and need no
// alignment. With the processor's own instructions where it has them.
#pragma once

#include <cstdint>
#include <span>

namespace starling::pipeline {

/// Largest finite half, and where rounding to nearest even would make an infinity of a float.
inline constexpr float largest_half = 65'504.0F;
inline constexpr float first_too_large_for_half = 65'520.0F;

/// `to` has two bytes for each of `from`. Rounds to nearest even.
void to_half(std::span<const float> from, std::uint8_t* to);

/// `from` has two bytes for each of `to`.
void from_half(const std::uint8_t* from, std::span<float> to);

/// No NaN and no infinity among them.
bool all_finite(std::span<const float> values);

/// The largest absolute value; 0 of none, NaN when there is one.
float largest(std::span<const float> values);

}  // namespace starling::pipeline
