// The part of the scheduler that embeds. Where the layers are split over machines, an input goes through the stages on
// the sequence of an idle slot, one input after the other, and only the last stage does something else with it.
#include "llama/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::llama {

bool scheduler::embed() {
    bool moved = false;
    while (!to_embed_.empty() && flights_.empty()) {
        if (embedder_) {
            to_embed_.front()->reply->try_send(embedder_->embed(to_embed_.front()->inputs));
        } else {
            const auto idle = std::find_if(slots_.begin(), slots_.end(), [](const slot& s) { return s.idle(); });
            if (idle == slots_.end() || !chain_->usable()) {
                break;
            }
            const auto job = std::move(to_embed_.front());
            to_embed_.pop_front();
            job->reply->try_send(embed_through_stages(*job, idle->sequence()));
            moved = true;
            continue;
        }
        to_embed_.pop_front();
        moved = true;
    }
    return moved;
}

result<engine::embedding_result> scheduler::embed_through_stages(const embedding& job, sequence_id sequence) {
    engine::embedding_result out;
    std::optional<embedder> by;
    for (const auto& input : job.inputs) {
        if (input.size() > static_cast<std::size_t>(options_.context)) {
            return fail(engine::errc::prompt_too_long,
                        fmt::format("an input has {} tokens; {} is split over machines with room for {}", input.size(),
                                    text_->info().id, options_.context));
        }
        auto states = hidden_states(input, sequence);
        if (!states) {
            return states.error();
        }
        if (!by) {
            by.emplace(chain_->last().shared_model(), chain_->last().threads());
        }
        auto vector = by->embed_hidden(input.size(), *states);
        if (!vector) {
            return vector.error();
        }
        out.vectors.push_back(std::move(*vector));
        out.prompt_tokens += static_cast<std::int32_t>(input.size());
    }
    return out;
}

/// What goes into the last stage, [n_tokens, n_embd]. The sequence is empty afterwards.
result<std::vector<float>> scheduler::hidden_states(std::span<const engine::token_id> tokens, sequence_id sequence) {
    std::vector<float> out;
    step next = std::exchange(next_, {});
    next.edits.emplace_back(truncation{.sequence = sequence, .from = 0});
    next_.edits.emplace_back(truncation{.sequence = sequence, .from = 0});
    slots_[static_cast<std::size_t>(sequence)].forget();
    std::size_t on_their_way = 0;
    for (std::size_t begin = 0; begin < tokens.size(); ++on_their_way) {
        const std::size_t end = std::min(tokens.size(), begin + static_cast<std::size_t>(chain_->widest()));
        for (; begin < end; ++begin) {
            next.tokens.push_back(
                {.token = tokens[begin], .at = static_cast<position>(begin), .sequence = sequence, .output = false});
        }
        chain_->submit(std::exchange(next, {}));
    }
    std::optional<error> failed;
    for (; on_their_way > 0; --on_their_way) {
        while (!chain_->ready()) {
            receive(true);
            if (in_->stopped()) {
                return fail(engine::errc::unavailable, "the engine was stopped");
            }
        }
        auto states = chain_->collect_hidden();
        if (!states) {
            if (states.error() == errc::stages_lost) {
                compute_again();
                return fail(engine::errc::unavailable,
                            "a machine that computes a part of the model was lost; try again");
            }
            failed = states.error();
            continue;  // what is behind it has to be taken off the chain, too
        }
        out.insert(out.end(), states->begin(), states->end());
    }
    if (failed) {
        return *failed;
    }
    return out;
}

}  // namespace starling::llama
