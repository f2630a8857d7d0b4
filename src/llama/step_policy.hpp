// How many tokens of which slot go into the next step. A pure choice. A step decodes or prefills, never both: with a
// cache for each sequence llama.cpp computes sequences together only where they bring equally many tokens, so a mixed
// batch is cut in two anyway, and worse. Prefill goes first, because it ends a client's waiting, until its budget is
// used up; then one decode, so that no stream stalls behind long prompts. Prompts go one after the other: computed
// together they would all wait for the last one. Only short ones are joined, until the step is wide enough to be as
// fast per token as a wider one.
#pragma once

#include "llama/step.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace starling::llama {

struct slot_demand {
    sequence_id sequence = 0;
    std::int32_t pending = 0;   // tokens to compute before the next can be drawn; 1 for a slot that decodes
    std::uint64_t arrival = 0;  // smaller came earlier
    std::int32_t together = std::numeric_limits<std::int32_t>::max();  // so many at most in one step
};

struct step_limits {
    std::int32_t max_tokens = 0;
    std::int32_t prefill_budget = 0;  // tokens of prompts that may still go before streams that decode
    std::int32_t join_below = 0;      // a step with fewer tokens takes another prompt in
    std::int32_t max_streams = std::numeric_limits<std::int32_t>::max();  // that decode in one step
};

struct allotment {
    sequence_id sequence = 0;
    std::int32_t tokens = 0;
};

/// Allotments ordered by sequence: one token for every decoding slot, or prompts in the order in which they came.
std::vector<allotment> share_step(std::span<const slot_demand> demands, const step_limits& limits);

/// Sequences that lie between allotted ones and may be filled with a token that nobody reads, so that llama.cpp can
/// run the allotted ones in one pass: with a cache for each sequence it joins only neighbours, and those only where
/// they bring equally many tokens. So a step that prefills has none, and is not made wider than it may be. Gaps longer
/// than `max_gap` stay.
std::vector<sequence_id> gaps_to_fill(std::span<const allotment> allotted, std::int32_t max_gap);

/// The first of `allotted` that can be computed in one pass: as far as there is no gap, or one that is filled.
std::vector<allotment> neighbours(std::vector<allotment> allotted, std::span<const sequence_id> filled);

/// How many streams go into one step, where several are on their way at once: all stages are busy when the streams are
/// dealt into as many steps.
std::int32_t streams_of_a_step(std::size_t streams, std::size_t depth);

/// How much prefill may go before the next decode. Pure, but for what it remembers.
class prefill_budget {
  public:
    /// `chunk`: tokens of prompts that hold streams up for as long as is bearable. In whole pieces.
    std::int32_t left(double chunk) const;

    /// A step was shared out; `streams_wait`: it did not decode, though slots want to.
    void spend(std::int32_t tokens, bool streams_wait) { spent_ = streams_wait ? spent_ + tokens : 0; }

  private:
    std::int32_t spent_ = 0;
};

/// Narrower steps take longer per token, on processors: by a fifth at 64, by half at 32.
inline constexpr std::int32_t prefill_piece = 128;

}  // namespace starling::llama
