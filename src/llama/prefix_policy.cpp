#include "llama/prefix_policy.hpp"

#include <algorithm>

namespace starling::llama {

namespace {

// Below this a common beginning is chance (a template's first words) and not worth holding a request back for.
constexpr position worth_waiting_for = 32;

/// At least one token is always computed: its logits start the answer.
position usable(position common, std::span<const engine::token_id> prompt) {
    return std::min(common, static_cast<position>(prompt.size()) - 1);
}

/// Tokens of the prompt that this slot's cache can stand in for.
position reusable(const slot_view& slot, std::span<const engine::token_id> prompt, const prefix_costs& costs) {
    const position keep = usable(common_prefix(slot.cached, prompt), prompt);
    if (!costs.can_truncate) {
        const auto whole = static_cast<position>(slot.cached.size());
        return whole <= keep ? whole : 0;
    }
    if (costs.window > 0 && slot.lowest > std::max(0, keep - costs.window)) {
        return 0;
    }
    return keep;
}

bool loses_more_than_it_keeps(const slot_view& slot, position keep) {
    return static_cast<position>(slot.cached.size()) - keep > keep;
}

/// The idle slot whose cache is missed least: an empty one, else the one unused for longest.
const slot_view* cheapest_idle(std::span<const slot_view> slots) {
    const slot_view* best = nullptr;
    for (const slot_view& slot : slots) {
        if (!slot.idle) {
            continue;
        }
        if (slot.cached.empty()) {
            return &slot;
        }
        if (best == nullptr || slot.last_used < best->last_used) {
            best = &slot;
        }
    }
    return best;
}

}  // namespace

position common_prefix(std::span<const engine::token_id> a, std::span<const engine::token_id> b) {
    const auto shorter = std::min(a.size(), b.size());
    const auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin());
    return static_cast<position>(differ.first - a.begin());
}

std::optional<placement> place_prompt(std::span<const engine::token_id> prompt, std::span<const slot_view> slots,
                                      const prefix_costs& costs) {
    const slot_view* idle = cheapest_idle(slots);
    if (idle == nullptr) {
        return std::nullopt;
    }
    placement in_place{.slot = idle->sequence, .keep = 0, .copy_from = {}};
    const slot_view* source = nullptr;
    position copied = 0;
    position coming = 0;
    for (const slot_view& slot : slots) {
        const position keep = reusable(slot, prompt, costs);
        if (slot.idle && keep > in_place.keep && !loses_more_than_it_keeps(slot, keep)) {
            in_place = {.slot = slot.sequence, .keep = keep, .copy_from = {}};
        }
        if (keep > copied) {
            copied = keep;
            source = &slot;
        }
        if (costs.can_truncate && !slot.coming.empty()) {
            coming = std::max(coming, usable(common_prefix(slot.coming, prompt), prompt));
        }
    }

    const bool copy =
        source != nullptr && copied - in_place.keep > costs.copy_tokens && source->sequence != in_place.slot;
    const position best = copy ? copied : in_place.keep;
    if (coming - best > std::max(costs.copy_tokens, worth_waiting_for)) {
        return std::nullopt;
    }
    if (!copy) {
        return in_place;
    }
    // The cheapest idle slot may be the source itself; then its cache is used where it is.
    if (source->sequence == idle->sequence) {
        return placement{.slot = idle->sequence, .keep = copied, .copy_from = {}};
    }
    return placement{.slot = idle->sequence, .keep = copied, .copy_from = source->sequence};
}

}  // namespace starling::llama
