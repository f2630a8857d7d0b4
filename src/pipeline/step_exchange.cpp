#include "pipeline/step_exchange.hpp"

#include <algorithm>
#include <utility>

namespace starling::pipeline {

std::size_t step_exchange::depth() const {
    const std::lock_guard lock(mutex_);
    return depth_;
}

bool step_exchange::usable() const {
    const std::lock_guard lock(mutex_);
    return whole_ && !ended_ && !untold_;
}

std::optional<error> step_exchange::ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
}

void step_exchange::submit(llama::step step) {
    std::function<void()> tell;
    {
        const std::lock_guard lock(mutex_);
        if (!whole_ && !untold_) {
            untold_ = fail(errc::lost, "The stages of this model are not together.");
        }
        entry next{.step = std::move(step)};
        if (!untold_ && !ended_) {
            next.number = next_++;
            tell = submitted_;
        }
        steps_.push_back(std::move(next));
    }
    if (tell) {
        tell();
    }
}

bool step_exchange::ready_locked() const {
    return untold_ || (!steps_.empty() && (ended_ || steps_.front().returned));
}

bool step_exchange::ready() const {
    const std::lock_guard lock(mutex_);
    return ready_locked();
}

std::shared_ptr<const engine::replacement> step_exchange::replaced() const {
    const std::lock_guard lock(mutex_);
    return replaced_;
}

result<returned_step> step_exchange::take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return ready_locked(); });
    if (untold_ || ended_) {
        const error why = fail(llama::errc::stages_lost, (ended_ ? *ended_ : *untold_).message);
        untold_.reset();
        steps_.clear();
        return why;
    }
    entry oldest = std::move(steps_.front());
    steps_.pop_front();
    return returned_step{.step = std::move(oldest.step), .activations = std::move(oldest.activations)};
}

void step_exchange::notify(std::function<void()> changed) {
    const std::lock_guard lock(mutex_);
    changed_ = std::move(changed);
}

void step_exchange::on_submitted(std::function<void()> submitted) {
    const std::lock_guard lock(mutex_);
    submitted_ = std::move(submitted);
}

void step_exchange::open(std::size_t depth, std::shared_ptr<const engine::replacement> replaced) {
    {
        const std::lock_guard lock(mutex_);
        depth_ = depth;
        replaced_ = std::move(replaced);
        whole_ = true;
        next_ = 0;
    }
    tell_engine();
}

std::optional<outgoing_step> step_exchange::next_outgoing() {
    const std::lock_guard lock(mutex_);
    if (!whole_ || untold_ || ended_) {
        return std::nullopt;
    }
    const auto next = std::find_if(steps_.begin(), steps_.end(), [](const entry& one) { return !one.sent; });
    if (next == steps_.end()) {
        return std::nullopt;
    }
    next->sent = true;
    return outgoing_step{.number = next->number, .step = next->step};
}

result<void> step_exchange::give(data_frame frame) {
    {
        const std::lock_guard lock(mutex_);
        if (!whole_ || untold_ || ended_) {
            return {};
        }
        const auto oldest = std::find_if(steps_.begin(), steps_.end(), [](const entry& one) { return !one.returned; });
        if (oldest == steps_.end() || !oldest->sent || oldest->number != frame.number) {
            return fail(errc::gap, "A step came back that is not the next one.");
        }
        if (!same_step(oldest->step, frame.step)) {
            return fail(errc::wrong_shape, "A step came back with other tokens than it was sent with.");
        }
        oldest->activations = std::move(frame.activations);
        oldest->returned = true;
    }
    tell_engine();
    return {};
}

std::optional<step_number> step_exchange::oldest() const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(steps_.begin(), steps_.end(), [](const entry& one) { return one.sent && !one.returned; });
    return whole_ && found != steps_.end() ? std::optional(found->number) : std::nullopt;
}

void step_exchange::lose(const error& why) {
    {
        const std::lock_guard lock(mutex_);
        if (!whole_) {
            return;
        }
        whole_ = false;
        if (!untold_) {
            untold_ = why;
        }
    }
    tell_engine();
}

void step_exchange::end(const error& why) {
    {
        const std::lock_guard lock(mutex_);
        if (ended_) {
            return;
        }
        whole_ = false;
        ended_ = why;
    }
    tell_engine();
}

void step_exchange::tell_engine() {
    std::function<void()> tell;
    {
        const std::lock_guard lock(mutex_);
        tell = changed_;
    }
    returned_.notify_all();
    if (tell) {
        tell();
    }
}

}  // namespace starling::pipeline
