#include "peers/dial_policy.hpp"

#include <algorithm>

namespace starling::peers {

bool dial_policy::take(const node_id& whom, urgency how, time_point now) {
    auto [found, is_new] = tried_.try_emplace(whom);
    attempt& one = found->second;
    if (is_new) {
        one.next = how == urgency::contact || self_ < whom ? now : now + second_caller_waits;
    }
    if (one.under_way || now < one.next || under_way_ >= dials_at_once) {
        return false;
    }
    one.under_way = true;
    ++under_way_;
    return true;
}

dial_policy::time_point dial_policy::next(const node_id& whom) const {
    const auto found = tried_.find(whom);
    if (found == tried_.end()) {
        return time_point::min();
    }
    return found->second.under_way ? time_point::max() : found->second.next;
}

void dial_policy::failed(const node_id& whom, time_point now, double jitter) {
    attempt& one = tried_[whom];
    under_way_ -= one.under_way ? 1 : 0;
    one.under_way = false;
    constexpr unsigned most_doublings = 6;
    const auto pause = std::min(longest_pause, first_pause * (1U << std::min(one.failures, most_doublings)));
    constexpr double least_share = 0.5;
    const auto spread = pause * (least_share + (1.0 - least_share) * jitter);
    one.next = now + std::chrono::duration_cast<std::chrono::milliseconds>(spread);
    ++one.failures;
}

void dial_policy::refused(const node_id& whom, time_point now) {
    failed(whom, now, 1.0);
    tried_[whom].next = now + refused_pause;
}

void dial_policy::ended(const node_id& whom) {
    const auto found = tried_.find(whom);
    if (found != tried_.end()) {
        under_way_ -= found->second.under_way ? 1 : 0;
        tried_.erase(found);
    }
}

void dial_policy::forget(const node_id& whom) {
    const auto found = tried_.find(whom);
    if (found != tried_.end() && found->second.under_way) {
        found->second.failures = 0;
    } else if (found != tried_.end()) {
        tried_.erase(found);
    }
}

void dial_policy::hurry(const node_id& whom, time_point now) {
    const auto found = tried_.find(whom);
    if (found != tried_.end() && !found->second.under_way) {
        found->second.next = std::min(found->second.next, now);
        found->second.failures = 0;
    }
}

}  // namespace starling::peers
