#include "llama/slot.hpp"

#include <algorithm>
#include <utility>

namespace starling::llama {

void slot::start(std::unique_ptr<generation> work, position keep, std::uint64_t now_serial) {
    cached_.assign(work->tokens.begin(), work->tokens.begin() + keep);
    work_ = std::move(work);
    reused_ = keep;
    answering_ = false;
    tells_loss_ = false;
    last_used_ = now_serial;
    turn_ = now_serial;
    unsent_.clear();
    held_ = false;
    ended_ = false;
    started_at = steady_clock::now();
    first_token_at = {};
}

std::unique_ptr<generation> slot::release(std::uint64_t now_serial) {
    last_used_ = now_serial;
    return std::move(work_);
}

void slot::forget() {
    cached_.clear();
}

void slot::lose_stages() {
    tells_loss_ = work_ && answer_tokens() > 0;
    forget();
}

std::int32_t slot::pending_tokens() const {
    const auto pending =
        static_cast<std::ptrdiff_t>(work_->tokens.size()) - static_cast<std::ptrdiff_t>(cached_.size());
    return static_cast<std::int32_t>(std::max<std::ptrdiff_t>(pending, 0));
}

std::int32_t slot::pending_together() const {
    const auto rest_of_prompt = work_->prompt_tokens - static_cast<std::int32_t>(cached_.size());
    return rest_of_prompt > 0 ? rest_of_prompt : resumed_step_tokens;
}

std::span<const engine::token_id> slot::advance(std::int32_t count) {
    const auto begin = cached_.size();
    const auto next = std::span(work_->tokens).subspan(begin, static_cast<std::size_t>(count));
    cached_.insert(cached_.end(), next.begin(), next.end());
    return next;
}

void slot::try_out(std::span<const engine::token_id> tokens) {
    cached_.insert(cached_.end(), tokens.begin(), tokens.end());
}

std::optional<position> slot::cut_back() {
    const std::size_t right = work_->tokens.size() - 1;
    if (cached_.size() <= right) {
        return std::nullopt;
    }
    cached_.resize(right);
    return static_cast<position>(right);
}

void slot::append(engine::token_id token) {
    work_->tokens.push_back(token);
    answering_ = true;
}

void slot::send(engine::chunk chunk) {
    held_ = held_ || unsent_.empty();
    unsent_.emplace_back(engine::stream_event(std::move(chunk)));
}

void slot::end(result<engine::stream_event> last) {
    unsent_.emplace_back(std::move(last));
    ended_ = true;
    flush();
}

void slot::flush_held() {
    if (held_) {
        flush();
    }
}

void slot::flush() {
    held_ = false;
    stream_link& link = *work_->link;
    const auto send_all = [&] {
        while (!unsent_.empty() && link.events.try_send_from(unsent_.front())) {
            unsent_.pop_front();
        }
    };
    send_all();
    if (!unsent_.empty()) {
        // The reader may have made room between the attempt and the flag.
        link.paused = true;
        send_all();
    }
}

slot_view slot::view(position lowest) const {
    const bool prefill = work_ && in_prefill();
    return {.sequence = sequence_,
            .idle = !work_,
            .cached = cached_,
            .coming = prefill ? std::span<const engine::token_id>(work_->tokens) : std::span<const engine::token_id>{},
            .lowest = lowest,
            .last_used = last_used_};
}

}  // namespace starling::llama
