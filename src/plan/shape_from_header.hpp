// What a plan has to know of a model, read out of its GGUF header. Pure.
#pragma once

#include "gguf/gguf.hpp"
#include "plan/types.hpp"

#include <cstdint>
#include <vector>

namespace starling::plan {

/// `cuts` come from gguf::legal_cuts, `compute` from a dry run. Weights are exact; keys and values are counted in f16
/// and for the whole context in every layer that attends, so that layers with a window count as more than they take.
model_shape shape_from_header(const gguf::file_header& header, std::vector<std::int32_t> cuts,
                              const compute_bytes& compute, std::int32_t bytes_per_activation = 2);

}  // namespace starling::plan
