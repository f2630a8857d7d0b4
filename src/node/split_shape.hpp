// What a model takes when it is cut, for the planner: measured on the slices that would be made, without making them.
#pragma once

#include "node/stage_files.hpp"
#include "plan/types.hpp"

#include <cstdint>

namespace starling::node {

/// Most tokens of one step of a split model. Narrower than on one machine, so that a prompt is on its way through all
/// stages at once.
inline constexpr std::int32_t split_step_tokens = 128;

struct split_measures {
    std::int32_t context = 0;  // tokens of one slot
    std::int32_t slots = 0;
    std::int32_t bytes_per_activation = 2;
    bool one_machine_only = false;  // where the model stays whole: cuts are not looked for
};

/// `whole` is a file with all layers. Blocks for some tens of milliseconds. A model that cannot be split has a shape
/// without cuts; `why_whole` then says why. Errors: those of gguf and llama.
struct measured_shape {
    plan::model_shape shape;
    std::string why_whole;
};
result<measured_shape> measure_shape(const stage_file& whole, const std::string& name, const split_measures& with,
                                     const std::filesystem::path& scratch);

}  // namespace starling::node
