#include "llama/step_policy.hpp"

#include <algorithm>

namespace starling::llama {

std::vector<allotment> share_step(std::span<const slot_demand> demands, const step_limits& limits) {
    std::vector<allotment> shares;
    std::vector<slot_demand> prompts;
    std::int32_t left = limits.max_tokens;
    for (const slot_demand& demand : demands) {
        if (demand.prefill_left == 0 && left > 0) {
            shares.push_back({.sequence = demand.sequence, .tokens = 1});
            --left;
        } else if (demand.prefill_left > 0) {
            prompts.push_back(demand);
        }
    }
    if (!shares.empty()) {
        left = std::min(left, limits.prefill_while_decoding);
    }
    std::sort(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
    for (const slot_demand& prompt : prompts) {
        const std::int32_t tokens = std::min(left, prompt.prefill_left);
        if (tokens == 0) {
            break;
        }
        shares.push_back({.sequence = prompt.sequence, .tokens = tokens});
        left -= tokens;
    }
    std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    return shares;
}

std::vector<sequence_id> gaps_to_fill(std::span<const allotment> allotted, std::int32_t max_gap) {
    std::vector<sequence_id> fill;
    for (std::size_t i = 1; i < allotted.size(); ++i) {
        const sequence_id first = allotted[i - 1].sequence + 1;
        const sequence_id end = allotted[i].sequence;
        if (end - first > max_gap) {
            continue;
        }
        for (sequence_id sequence = first; sequence < end; ++sequence) {
            fill.push_back(sequence);
        }
    }
    return fill;
}

}  // namespace starling::llama
