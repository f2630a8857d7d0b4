// Randomness as a counter: the draw for token i of a stream is a function of (seed, i) and nothing else.
//
// A stream that is taken up by another node needs no generator state: the same seed and the same token index give the
// same draw there. Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>

namespace starling {

/// One Philox4x32-10 block for this key and counter.
constexpr std::array<std::uint32_t, 4> philox4x32(std::uint64_t key, std::uint64_t counter) {
    constexpr std::uint32_t multiplier_a = 0xD2511F53U;
    constexpr std::uint32_t multiplier_b = 0xCD9E8D57U;
    constexpr std::uint32_t weyl_a = 0x9E3779B9U;
    constexpr std::uint32_t weyl_b = 0xBB67AE85U;

    std::array<std::uint32_t, 4> x{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0,
                                   0};
    auto key_a = static_cast<std::uint32_t>(key);
    auto key_b = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = static_cast<std::uint64_t>(multiplier_a) * x[0];
        const std::uint64_t b = static_cast<std::uint64_t>(multiplier_b) * x[2];
        x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key_a, static_cast<std::uint32_t>(b),
             static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key_b, static_cast<std::uint32_t>(a)};
        key_a += weyl_a;
        key_b += weyl_b;
    }
    return x;
}

/// Uniform in [0, 1), 53 bits.
constexpr double uniform_draw(std::uint64_t seed, std::uint64_t index) {
    const auto x = philox4x32(seed, index);
    const std::uint64_t bits = (static_cast<std::uint64_t>(x[0]) << 32) | x[1];
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace starling
