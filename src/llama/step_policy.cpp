#include "llama/step_policy.hpp"

#include <algorithm>
#include <cmath>

namespace starling::llama {

std::vector<allotment> share_step(std::span<const slot_demand> demands, const step_limits& limits) {
    std::vector<allotment> decode;
    std::vector<slot_demand> prompts;
    for (const slot_demand& demand : demands) {
        if (demand.pending > 1) {
            prompts.push_back(demand);
        } else if (static_cast<std::int32_t>(decode.size()) < std::min(limits.max_tokens, limits.max_streams)) {
            decode.push_back({.sequence = demand.sequence, .tokens = 1});
        }
    }
    const std::int32_t left = decode.empty() ? limits.max_tokens : std::min(limits.max_tokens, limits.prefill_budget);
    if (prompts.empty() || left <= 0) {
        return decode;
    }
    std::sort(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
    std::vector<allotment> prefill;
    std::int32_t taken = 0;
    for (const slot_demand& prompt : prompts) {
        const std::int32_t tokens = std::min({left - taken, prompt.pending, prompt.together});
        if (tokens == 0 || (taken > 0 && taken >= limits.join_below)) {
            break;
        }
        prefill.push_back({.sequence = prompt.sequence, .tokens = tokens});
        taken += tokens;
    }
    std::sort(prefill.begin(), prefill.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    return prefill;
}

std::int32_t prefill_budget::left(double chunk) const {
    const auto pieces = static_cast<std::int32_t>(std::lround(chunk / prefill_piece));
    const std::int32_t rest = std::max(pieces, 1) * prefill_piece - spent_;
    return spent_ == 0 || rest >= prefill_piece ? rest : 0;
}

std::vector<sequence_id> gaps_to_fill(std::span<const allotment> allotted, std::int32_t max_gap) {
    std::vector<sequence_id> fill;
    if (std::any_of(allotted.begin(), allotted.end(), [](const allotment& one) { return one.tokens != 1; })) {
        return fill;
    }
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

std::vector<allotment> neighbours(std::vector<allotment> allotted, std::span<const sequence_id> filled) {
    for (std::size_t i = 1; i < allotted.size(); ++i) {
        for (sequence_id between = allotted[i - 1].sequence + 1; between < allotted[i].sequence; ++between) {
            if (std::find(filled.begin(), filled.end(), between) == filled.end()) {
                allotted.resize(i);
                return allotted;
            }
        }
    }
    return allotted;
}

std::int32_t streams_of_a_step(std::size_t streams, std::size_t depth) {
    return std::max(1, static_cast<std::int32_t>((streams + depth - 1) / depth));
}

}  // namespace starling::llama
