// F16C, which every x86 processor with AVX2 has; the program itself is built for older ones too.
#include "pipeline/half_rows.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

namespace starling::pipeline {

namespace {

constexpr std::size_t at_once = 8;

__attribute__((target("avx,f16c"))) void to_f16c(const float* from, std::uint8_t* to, std::size_t count) {
    std::size_t i = 0;
    for (; i + at_once <= count; i += at_once) {
        const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i), halves);
    }
    portable_half_rows().to(from + i, to + 2 * i, count - i);
}

__attribute__((target("avx,f16c"))) void from_f16c(const std::uint8_t* from, float* to, std::size_t count) {
    std::size_t i = 0;
    for (; i + at_once <= count; i += at_once) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * i));
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
    }
    portable_half_rows().from(from + 2 * i, to + i, count - i);
}

}  // namespace

half_rows native_half_rows() {
    if (__builtin_cpu_supports("avx") != 0 && __builtin_cpu_supports("f16c") != 0) {
        return {.to = to_f16c, .from = from_f16c};
    }
    return {.to = nullptr, .from = nullptr};
}

}  // namespace starling::pipeline

#else

namespace starling::pipeline {

half_rows native_half_rows() {
    return {.to = nullptr, .from = nullptr};
}

}  // namespace starling::pipeline

#endif
