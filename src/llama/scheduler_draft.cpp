// The part of the scheduler that drafts. A slot that decodes brings its one pending token to a step and behind it what
// the draft proposes, with an output for each of them. The outputs are drawn from in order: as long as the token drawn
// is the one proposed, the next output is what would have come of it. The rest is cut off by the next step.
//
// The draw for token i depends on (seed, i) and its logits alone, and steps this narrow give the same logits as a token
// alone: so the text is the same with and without a draft, at every temperature.
#include "llama/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::llama {

static_assert(max_verified_tokens <= resumed_step_tokens);

scheduler::drafts scheduler::propose(const std::vector<allotment>& shares) {
    if (!drafter_ || draft_failed_) {
        return {};
    }
    flush_held();  // the draft takes its time
    draft_effort effort;
    std::vector<draft_stream> streams;
    std::vector<draft_request> requests;
    draft_step next;
    next.most = chain_->widest() / static_cast<std::int32_t>(shares.size()) - 1;
    for (const allotment& share : shares) {
        const slot& slot = slots_[static_cast<std::size_t>(share.sequence)];
        next.most = std::min(next.most, options_.context - static_cast<std::int32_t>(slot.cached().size()) - 1);
        if (share.tokens == 0) {
            ++effort.fillers;
            continue;
        }
        if (slot.pending_tokens() != 1) {
            return {};
        }
        const auto& known = slot.work().tokens;
        const std::int32_t limit = std::min(slot.work().max_tokens - slot.answer_tokens(),
                                            options_.context - static_cast<std::int32_t>(known.size())) -
                                   1;
        streams.push_back({.sequence = share.sequence, .limit = limit});
        requests.push_back({.sequence = share.sequence, .tokens = known, .count = limit});
        next.catch_up_s += drafter_->catch_up_s(share.sequence, known);
    }
    next.streams = streams;
    next.fillers = effort.fillers;
    const draft_choice choice = draft_policy_.choose(next);
    if (choice.tokens == 0) {
        return {.tokens = 0, .of_share = {}, .effort = effort};
    }
    for (draft_request& request : requests) {
        request.count = std::min(request.count, choice.tokens);
    }
    auto run = drafter_->propose(requests, choice.floor);
    if (!run) {
        draft_failed_ = true;
        if (log_ && !in_->stopped()) {
            log_(log_level::error, fmt::format("{} drafts no more: {}", drafter_->of().info().id, run.error().message));
        }
        return {};
    }
    effort.catch_up_s = run->catch_up_s;
    effort.steps_s = run->steps_s;
    effort.steps = run->steps;
    effort.probe = choice.probe;
    drafts out;
    std::size_t proposal = 0;
    for (const allotment& share : shares) {
        out.of_share.emplace_back();
        if (share.tokens == 0) {
            continue;
        }
        draft_proposal& made = run->proposals[proposal++];
        effort.stopped = effort.stopped || made.stopped;
        out.tokens = std::max(out.tokens, static_cast<std::int32_t>(made.tokens.size()));
        out.of_share.back() = std::move(made.tokens);
    }
    out.effort = effort;
    return out;
}

draft_outcome scheduler::draw_all(slot& slot, const output_row& output) {
    const auto proposed = static_cast<std::int32_t>(output.drafted.size());
    draft_outcome out{.sequence = output.sequence, .proposed = proposed, .accepted = 0, .stopped = false};
    for (;;) {
        const auto token = draw(slot, output.row + out.accepted);
        if (out.accepted == proposed || token != output.drafted[static_cast<std::size_t>(out.accepted)]) {
            break;
        }
        ++out.accepted;
        if (!slot.idle()) {
            slot.flush_held();
        }
        if (slot.idle() || slot.paused()) {
            out.proposed = out.accepted;  // nobody knows whether the rest was right
            break;
        }
    }
    counts_.draft_accepted += static_cast<std::uint64_t>(out.accepted);
    counts_.draft_rejected += static_cast<std::uint64_t>(proposed - out.accepted);
    if (!slot.idle()) {
        if (const auto end = slot.cut_back()) {
            next_.edits.emplace_back(truncation{.sequence = output.sequence, .from = *end});
        }
    }
    return out;
}

void scheduler::learn_draft(const flight& done, double pass_s, std::vector<draft_outcome> outcomes) {
    if (!done.effort || outcomes.empty()) {
        return;
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        outcomes[i].stopped = done.effort->stopped && outcomes[i].accepted == outcomes[i].proposed;
    }
    draft_policy_.learn({.streams = outcomes,
                         .fillers = done.effort->fillers,
                         .width = static_cast<std::int32_t>(done.tokens),
                         .pass_s = pass_s,
                         .catch_up_s = done.effort->catch_up_s,
                         .draft_s = done.effort->steps_s,
                         .draft_steps = done.effort->steps,
                         .probe = done.effort->probe});
}

}  // namespace starling::llama
