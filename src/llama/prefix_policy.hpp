// Which slot takes a prompt, and how much of it need not be computed again. A pure choice.
//
// Every slot remembers the tokens in its KV cache. A prompt that begins like one of them starts there: in place when
// the slot is idle, by a copy of the cache when it is worth more than it costs. When another slot is computing a long
// common beginning right now, the prompt waits for it rather than computing it a second time.
#pragma once

#include "llama/step.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace starling::llama {

struct slot_view {
    sequence_id sequence = 0;
    bool idle = true;
    std::span<const engine::token_id> cached;  // what the KV cache holds, from position 0
    std::span<const engine::token_id> coming;  // a slot in prefill: the whole prompt it is computing
    position lowest = 0;                       // first position that every layer still has
    std::uint64_t last_used = 0;               // larger is later
};

struct prefix_costs {
    std::int32_t copy_tokens = 0;  // a copy between slots costs as much as computing this many tokens
    bool can_truncate = true;      // see model::can_truncate
    std::int32_t window = 0;       // see model::sliding_window
};

struct placement {
    sequence_id slot = 0;
    position keep = 0;  // tokens of the prompt that are not computed again
    std::optional<sequence_id> copy_from;
};

/// Nothing when no slot is idle, or when it is better to wait for a prefix that another slot is computing.
std::optional<placement> place_prompt(std::span<const engine::token_id> prompt, std::span<const slot_view> slots,
                                      const prefix_costs& costs);

/// Tokens at the start that both have in common.
position common_prefix(std::span<const engine::token_id> a, std::span<const engine::token_id> b);

}  // namespace starling::llama
