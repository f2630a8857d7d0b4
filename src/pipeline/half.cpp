#include "pipeline/half.hpp"

#include "pipeline/half_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace starling::pipeline {

namespace {

constexpr std::uint32_t float_exponent = 0x7f80'0000U;
constexpr std::uint32_t float_sign = 0x8000'0000U;

std::uint16_t half_of(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits & float_sign) >> 16U);
    const std::uint32_t magnitude = bits & ~float_sign;
    constexpr std::uint16_t infinity = 0x7c00;
    constexpr std::uint16_t quiet = 0x0200;
    if (magnitude > float_exponent) {
        return static_cast<std::uint16_t>(sign | infinity | quiet);
    }
    if (std::bit_cast<float>(magnitude) >= first_too_large_for_half) {
        return static_cast<std::uint16_t>(sign | infinity);
    }
    constexpr std::uint32_t least_normal = 0x3880'0000U;  // 2^-14
    if (magnitude < least_normal) {
        // Adding 0.5 leaves the subnormal's bits, rounded to nearest even by the addition, at the end of the mantissa.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f00'0000U));
    }
    constexpr std::uint32_t rebias = (127U - 15U) << 23U;
    const std::uint32_t odd = (magnitude >> 13U) & 1U;
    return static_cast<std::uint16_t>(sign | ((magnitude - rebias + 0x0fffU + odd) >> 13U));
}

float float_of(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
    const std::uint32_t magnitude = half & 0x7fffU;
    if (magnitude < 0x0400U) {
        const float subnormal = static_cast<float>(magnitude) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(subnormal) | sign);
    }
    constexpr std::uint32_t rebias = (127U - 15U) << 23U;
    const std::uint32_t extra = magnitude >= 0x7c00U ? rebias : 0U;  // infinity and NaN: the exponent's last value
    return std::bit_cast<float>(sign | ((magnitude << 13U) + rebias + extra));
}

void to_portable(const float* from, std::uint8_t* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t half = half_of(from[i]);
        std::memcpy(to + 2 * i, &half, sizeof half);
    }
}

void from_portable(const std::uint8_t* from, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, from + 2 * i, sizeof half);
        to[i] = float_of(half);
    }
}

const half_rows& chosen() {
    static const half_rows rows = native_half_rows().to != nullptr ? native_half_rows() : portable_half_rows();
    return rows;
}

}  // namespace

// GGUF files are little-endian, and so is every machine that llama.cpp maps them into.
static_assert(std::endian::native == std::endian::little);

half_rows portable_half_rows() {
    return {.to = to_portable, .from = from_portable};
}

void to_half(std::span<const float> from, std::uint8_t* to) {
    chosen().to(from.data(), to, from.size());
}

void from_half(const std::uint8_t* from, std::span<float> to) {
    chosen().from(from, to.data(), to.size());
}

bool all_finite(std::span<const float> values) {
    // No early way out: the loop becomes vector instructions.
    std::uint32_t bad = 0;
    for (const float value : values) {
        bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & float_exponent) == float_exponent);
    }
    return bad == 0;
}

float largest(std::span<const float> values) {
    // Floats without their sign are in the order of their bits, and integers are compared without branches.
    std::uint32_t most = 0;
    for (const float value : values) {
        most = std::max(most, std::bit_cast<std::uint32_t>(value) & ~float_sign);
    }
    return std::bit_cast<float>(most);
}

}  // namespace starling::pipeline
