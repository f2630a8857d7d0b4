#include "dispatch/search.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace starling::dispatch {

using engine::errc;

namespace {

double seconds(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

/// Another worker may well say yes where this one said no.
bool may_differ_elsewhere(const error& why) {
    return why == errc::queue_full || why == errc::overloaded || why == errc::loading || why == errc::unavailable ||
           why == errc::unknown_model || why == errc::prompt_too_long;
}

}  // namespace

std::string name_of(const route::worker_view& node) {
    return node.here ? std::string("this node") : node.name.empty() ? short_name(node.id) : node.name;
}

std::string without_full_stop(std::string text) {
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text;
}

search::search(std::shared_ptr<core> of, std::string model, prompt_chain prompt, std::int32_t answer_tokens,
               aio::call_context call)
    : core_(std::move(of)),
      model_(std::move(model)),
      prompt_(std::move(prompt)),
      answer_tokens_(answer_tokens),
      call_(std::move(call)),
      watch_(core_->network) {}

aio::steady_time search::until(std::chrono::milliseconds patience) const {
    return std::min(std::chrono::steady_clock::now() + patience, call_.deadline);
}

error search::late(std::chrono::milliseconds patience) const {
    if (std::chrono::steady_clock::now() >= call_.deadline) {
        return fail(errc::deadline, "The time for this request is over.");
    }
    return fail(errc::unavailable, fmt::format("gave nothing for {:.1f} s and counts as hung", seconds(patience)));
}

bool search::may_ask(const worker& one) const {
    return one.generator && !tried_.excludes(one.view.id, one.generator) && (!content_ || one.content == *content_) &&
           (context_above_ == 0 || one.generator->info().context_length > context_above_);
}

std::optional<candidate> search::choose() {
    auto workers = core_->workers.workers(model_);
    std::erase_if(workers, [&](const worker& one) { return !may_ask(one); });
    const auto holders = core_->prefixes.holders(prompt_);
    std::vector<route::worker_view> views;
    for (const worker& one : workers) {
        views.push_back(core_->view_of(one, model_));
        for (const prefix_holder& holder : holders) {
            if (holder.node == one.view.id) {
                views.back().cached_tokens = std::max(views.back().cached_tokens, holder.tokens);
            }
        }
    }
    // Whoever may not be asked is not among the views, so nobody is named as tried.
    const route::demand what{.prompt_tokens = prompt_.tokens + delivered_,
                             .answer_tokens = std::max(1, answer_tokens_ - delivered_),
                             .tried = {}};
    auto choice = route::choose_worker(views, what, core_->draw());
    if (!choice) {
        return std::nullopt;
    }
    core_->count.moved_on += std::exchange(refusals_, 0);
    const auto& view = views[choice->index];
    candidate out;
    out.place = std::make_unique<lease>(core_, node_and_model(view.id, model_));
    out.beside = view.busy;
    out.reason = std::move(choice->reason);
    out.by = std::move(workers[choice->index]);
    return out;
}

std::optional<error> search::take_refusal(const worker& by, const error& why, bool hung) {
    const bool another = hung       ? !(why == errc::deadline)
                         : content_ ? !(why == errc::deadline)
                                    : may_differ_elsewhere(why);
    if (!another) {
        return why;
    }
    tried_.asked(by.view.id);
    if (hung || !may_differ_elsewhere(why)) {
        tried_.gave_up_on(by.view.id, by.generator);
    }
    if (why == errc::queue_full || (why == errc::overloaded && !full_)) {
        full_ = why;
    }
    if (why == errc::prompt_too_long) {
        too_long_ = why;
        context_above_ = std::max(context_above_, by.generator->info().context_length);
    }
    // What this node's own backend says, and that a model is not there, will be no other in a moment.
    if (why == errc::unknown_model || (by.view.here && why == errc::unavailable && !hung)) {
        final_ = why;
    }
    cause_ = fmt::format("{}: {}", name_of(by.view), without_full_stop(why.message));
    ++refusals_;
    return std::nullopt;
}

void search::leave(const worker& left, const error& why, bool for_good) {
    tried_.next_round();
    full_.reset();
    too_long_.reset();
    final_.reset();
    waiting_since_.reset();
    refusals_ = 0;
    const auto end = take_refusal(left, why, for_good);
    if (content_ || end) {
        refusals_ = 0;  // a stream that is continued has not been refused
    }
}

void search::must_continue(std::int32_t tokens, std::string content) {
    delivered_ = tokens;
    content_ = std::move(content);
}

engine::awaitable<std::optional<error>> search::wait_for_change() {
    // A client that has nothing yet had better hear that everybody is full: it may have somewhere else to go.
    if (!content_ && (full_ || too_long_ || final_)) {
        co_return full_ ? full_ : too_long_ ? too_long_ : final_;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!waiting_since_) {
        waiting_since_ = now;
        core_->workers.wanted(model_);
    }
    const auto end = std::min(*waiting_since_ + core_->how.worker_wait, call_.deadline);
    if (now >= end) {
        co_return nobody_came(now);
    }
    const auto look_again = std::min(now + ask_again_every, end);
    co_await core_->workers.changed().wait_until(look_again);
    tried_.next_round();
    co_return std::nullopt;
}

error search::nobody_came(aio::steady_time now) const {
    const auto waited = seconds(now - *waiting_since_);
    const bool out_of_time = now >= call_.deadline;
    const auto* advice =
        out_of_time ? "its time is over" : "start one with this model, or send the request again later";
    const auto code = out_of_time ? errc::deadline : errc::unavailable;
    if (content_) {
        return fail(code, fmt::format("The answer stopped after {} tokens ({}), and no other node that serves the same "
                                      "'{}' went on with it within {:.1f} s; {}.",
                                      delivered_, cause_, model_, waited, advice));
    }
    const auto last = cause_.empty() ? std::string() : fmt::format(" (the last one asked was {})", cause_);
    return fail(code, fmt::format("No node that serves '{}' took the request within {:.1f} s{}; {}.", model_, waited,
                                  last, advice));
}

}  // namespace starling::dispatch
