// The two ways to convert rows of halves; half.cpp picks one when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace starling::pipeline {

struct half_rows {
    void (*to)(const float* from, std::uint8_t* to, std::size_t count);
    void (*from)(const std::uint8_t* from, float* to, std::size_t count);
};

/// In plain arithmetic, one at a time.
half_rows portable_half_rows();

/// With this processor's instructions (F16C); null pointers where it has none.
half_rows native_half_rows();

}  // namespace starling::pipeline
