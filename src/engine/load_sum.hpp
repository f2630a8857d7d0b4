// The loads of several generators as one.
#pragma once

#include "engine/types.hpp"

namespace starling::engine {

inline void add(engine_load& into, const engine_load& one) {
    into.slots += one.slots;
    into.busy += one.busy;
    into.queued += one.queued;
    into.queue_limit += one.queue_limit;
    into.tokens_per_s += one.tokens_per_s;
    into.prompt_tokens += one.prompt_tokens;
    into.generated_tokens += one.generated_tokens;
    into.cached_tokens += one.cached_tokens;
    into.cancelled += one.cancelled;
    into.draft_accepted += one.draft_accepted;
    into.draft_rejected += one.draft_rejected;
}

/// Of all that have a `generator`; null ones do not count.
template <class Range>
engine_load total_load(const Range& all) {
    engine_load total;
    for (const auto& one : all) {
        if (one.generator) {
            add(total, one.generator->load());
        }
    }
    return total;
}

}  // namespace starling::engine
