// Seeded random weights, row by row, in the type that the file wants.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace starling::tools {

/// What a tensor is filled with. A row is `ne[0]` elements.
struct filling {
    float constant = 0.0F;                            // where `deviation` is 0
    float deviation = 0.0F;                           // of a uniform distribution around 0
    std::function<bool(std::int64_t row)> empty_row;  // rows that are all zero; may be empty
};

/// Gives the bytes of the tensor to `write` in order, a few rows at a time. A weight depends on seed, stream and its
/// position alone. False as soon as `write` says false.
bool write_weights(const ggml_tensor& tensor, const filling& how, std::uint64_t seed, std::uint64_t stream,
                   const std::function<bool(std::string_view)>& write);

}  // namespace starling::tools
