// How many tokens of which slot go into the next step. A pure choice: decode first, so that no stream stalls behind a
// long prompt; then prompts in the order in which they came, in chunks.
#pragma once

#include "llama/step.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace starling::llama {

struct slot_demand {
    sequence_id sequence = 0;
    std::int32_t prefill_left = 0;  // tokens of the prompt not computed yet; 0: the slot decodes
    std::uint64_t arrival = 0;      // smaller came earlier
};

struct step_limits {
    std::int32_t max_tokens = 0;              // of a whole step
    std::int32_t prefill_while_decoding = 0;  // of prompts, in a step that also decodes
};

struct allotment {
    sequence_id sequence = 0;
    std::int32_t tokens = 0;
};

/// Allotments ordered by sequence. Every decoding slot gets one token.
std::vector<allotment> share_step(std::span<const slot_demand> demands, const step_limits& limits);

/// Sequences that lie between allotted ones and may be filled with a token that nobody reads, so that llama.cpp can
/// run the allotted ones in one pass: with a cache for each sequence it joins only neighbours. Gaps longer than
/// `max_gap` stay.
std::vector<sequence_id> gaps_to_fill(std::span<const allotment> allotted, std::int32_t max_gap);

}  // namespace starling::llama
