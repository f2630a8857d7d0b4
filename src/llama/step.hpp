// What travels through the pipeline: one step of a batch of sequences. Plain data, so that the same step can be carried
// out by a stage in this process or sent to the stages of other machines.
#pragma once

#include "engine/types.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace starling::llama {

/// A sequence of the KV cache; each slot owns one.
using sequence_id = std::int32_t;
using position = std::int32_t;

/// Forget what `sequence` has from position `from` on; 0 clears it.
struct truncation {
    sequence_id sequence = 0;
    position from = 0;
};

/// Make `to` a copy of the first `length` positions of `from`. What `to` had is forgotten.
struct prefix_copy {
    sequence_id from = 0;
    sequence_id to = 0;
    position length = 0;
};

struct step_token {
    engine::token_id token = 0;
    position at = 0;
    sequence_id sequence = 0;
    bool output = false;  // logits are wanted after this token
};

using cache_edit = std::variant<truncation, prefix_copy>;

/// The edits come first, in their order; then the tokens, ordered by sequence and position.
struct step {
    std::vector<cache_edit> edits;
    std::vector<step_token> tokens;
};

}  // namespace starling::llama
