#include "dispatch/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::dispatch {

using engine::errc;

namespace {

double milliseconds(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

/// The stream ended for a reason that lies with the worker.
bool is_loss_of_worker(const error& why) {
    return why == errc::unavailable || why == errc::overloaded || why == errc::queue_full || why == errc::loading;
}

}  // namespace

dispatched_stream::dispatched_stream(std::shared_ptr<core> of, const std::string& model,
                                     engine::generate_request request, aio::call_context call)
    : core_(std::move(of)),
      request_(std::move(request)),
      call_(std::move(call)),
      delivered_(request_.resume, request_.max_tokens),
      search_(core_, model, chain_of(model, request_), request_.max_tokens.value_or(route::usual_answer_tokens),
              call_) {}

engine::awaitable<result<std::unique_ptr<engine::token_stream>>> dispatched_stream::ask(engine::generator& by) const {
    engine::generate_request rest = request_;
    rest.resume = delivered_.tokens();
    return by.generate(std::move(rest), call_);
}

engine::awaitable<result<void>> dispatched_stream::place() {
    using stream = std::unique_ptr<engine::token_stream>;
    std::function<engine::awaitable<result<stream>>(engine::generator&)> question = [this](engine::generator& by) {
        return ask(by);
    };
    auto finding = search_.find<stream>(std::move(question), core_->how.stall_timeout);
    auto found = co_await std::move(finding);
    if (!found) {
        co_return found.error();
    }
    leg next;
    next.by = std::move(*found);
    next.begins_at = emitted();
    leg_.emplace(std::move(next));
    prompt_tokens_ = std::max(prompt_tokens_, leg_->by.answer->prompt_tokens());
    note_decision();
    co_return result<void>{};
}

void dispatched_stream::note_decision() {
    const candidate& by = leg_->by.at;
    const bool here = by.by.view.here;
    std::string node = to_string(by.by.view.id);
    moves_ += delivered_.anything() && node != from_.node ? 1 : 0;
    from_.node = std::move(node);
    from_.reason = by.reason;
    from_.cause = search_.cause();
    if (delivered_.anything()) {
        ++core_->count.resumed;
    } else if (!std::exchange(placed_before_, true)) {
        ++(here ? core_->count.routed_here : core_->count.routed_to_peers);
    }
    decision made{.request_id = call_.request_id,
                  .model = search_.model(),
                  .node = from_.node,
                  .here = here,
                  .reason = from_.reason,
                  .resumed_at = delivered_.anything() ? emitted() : -1,
                  .cause = from_.cause};
    core_->note(std::move(made));
}

std::chrono::milliseconds dispatched_stream::patience() const {
    return core_->how.stall_timeout * (leg_->begun ? 1 : first_token_patience);
}

engine::awaitable<result<engine::stream_event>> dispatched_stream::next() {
    while (leg_) {
        const auto limit = patience();
        auto coming = leg_->by.answer->next();
        auto event = co_await search_.watch().run(std::move(coming), search_.until(limit));
        if (event && event->has_value()) {
            const bool news = take(**event);
            if (news) {
                co_return std::move(**event);
            }
            continue;
        }
        error why = event ? event->error() : search_.late(limit);
        auto gone_on = co_await go_on_elsewhere(std::move(why), !event);
        if (!gone_on) {
            co_return gone_on.error();
        }
    }
    co_return fail(errc::internal, "This answer has ended; there is nothing more to read.");
}

bool dispatched_stream::take(engine::stream_event& event) {
    auto* chunk = std::get_if<engine::chunk>(&event);
    if (chunk == nullptr) {
        settle(std::get<engine::finished>(event));
        return true;
    }
    leg_->last_at = std::chrono::steady_clock::now();
    if (!std::exchange(leg_->begun, true)) {
        leg_->first_at = leg_->last_at;
    }
    return delivered_.take(*chunk);
}

void dispatched_stream::settle(engine::finished& end) {
    learn(end);
    const auto node = leg_->by.at.by.view.id;
    const prompt_chain& prompt = search_.prompt();
    core_->prefixes.remember(prompt, node);
    const auto text = delivered_.text_hash();
    if (prompt.conversation && text && !prompt.links.empty()) {
        core_->prefixes.remember(after_answer(prompt.links.back().hash, *text), node);
    }
    prompt_tokens_ = std::max(prompt_tokens_, end.usage.prompt_tokens);
    end.timing.decode_ms += decode_ms_before_;  // the tokens in `usage` are everybody's too
    leg_.reset();
}

void dispatched_stream::learn(const engine::finished& end) {
    const candidate& by = leg_->by.at;
    const node_and_model at(by.by.view.id, search_.model());
    core_->speeds.learn(at, {.prefill_tokens = end.usage.prompt_tokens + leg_->begins_at - end.usage.cached_tokens,
                             .prefill_ms = end.timing.prefill_ms,
                             .decode_tokens = end.usage.completion_tokens - leg_->begins_at,
                             .decode_ms = end.timing.decode_ms,
                             .beside = (std::min(by.beside, by.by.view.slots - 1) + core_->beside(at)) / 2.0});
}

engine::awaitable<result<void>> dispatched_stream::go_on_elsewhere(error why, bool hung) {
    const worker left = leg_->by.at.by;
    const bool broke_down = hung || emitted() > leg_->begins_at;
    if (leg_->begun) {
        decode_ms_before_ += milliseconds(leg_->last_at - leg_->first_at);
    }
    leg_.reset();
    if (!is_loss_of_worker(why)) {
        co_return why;
    }
    if (delivered_.anything() && (left.content.empty() || !delivered_.known_by_token())) {
        ++core_->count.lost;
        co_return cannot_continue(left, why, "this model's content is not known, so nobody else can go on with it");
    }
    if (takeovers_++ >= max_takeovers) {
        ++core_->count.lost;
        co_return cannot_continue(left, why, fmt::format("{} nodes were lost with it, so it is given up", takeovers_));
    }
    if (delivered_.anything()) {
        search_.must_continue(emitted(), left.content);
        delivered_.continue_elsewhere();
    }
    search_.leave(left, why, broke_down);
    auto taken = co_await place();
    if (!taken && delivered_.anything()) {
        ++core_->count.lost;
    }
    co_return taken;
}

error dispatched_stream::cannot_continue(const worker& left, const error& why, std::string_view reason) const {
    return fail(errc::unavailable,
                fmt::format("The answer stopped after {} tokens ({}: {}); {}. Send the request again.", emitted(),
                            name_of(left.view), without_full_stop(why.message), reason));
}

std::int32_t dispatched_stream::prompt_tokens() const {
    return leg_ ? std::max(prompt_tokens_, leg_->by.answer->prompt_tokens()) : prompt_tokens_;
}

}  // namespace starling::dispatch
