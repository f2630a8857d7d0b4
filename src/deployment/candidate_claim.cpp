// Rivals: who is greater, when to claim, when to stand down.
#include "deployment/deployment.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace starling::deployment {

namespace {

/// Somebody who coordinates and means to go on.
bool is_live(const announcement& said) {
    return said.state != announced_state::leaving && said.state != announced_state::retired;
}

}  // namespace

candidate::rival* candidate::find_rival(const node_id& node) {
    const auto found = std::find_if(rivals_.begin(), rivals_.end(), [&](const rival& r) { return r.node == node; });
    return found == rivals_.end() ? nullptr : &*found;
}

const candidate::rival* candidate::leader() const {
    const rival* greatest = nullptr;
    for (const rival& r : rivals_) {
        if (r.counts && is_live(r.said) && (greatest == nullptr || r.said.by > greatest->said.by)) {
            greatest = &r;
        }
    }
    return greatest;
}

const announcement* candidate::watched() const {
    const rival* other = leader();
    return other == nullptr ? nullptr : &other->said;
}

void candidate::remember(rival heard) {
    if (rival* known = find_rival(heard.node)) {
        *known = std::move(heard);
        return;
    }
    if (rivals_.size() >= max_rivals) {
        const auto less = [](const rival& a, const rival& b) {
            return a.counts != b.counts ? b.counts : a.said.by < b.said.by;
        };
        const auto least = std::min_element(rivals_.begin(), rivals_.end(), less);
        if (less(heard, *least)) {
            return;
        }
        rivals_.erase(least);
    }
    rivals_.push_back(std::move(heard));
}

actions candidate::heard(const node_id& from, const announcement& what, time_point now) {
    begin(now);
    // Everybody speaks for itself alone.
    if (from == self_ || what.by.coordinator != from || what.stages.size() > max_stages ||
        state_ == candidate_state::stopped) {
        return finish();
    }
    const bool counts = terms_.hear(what.by.term, now_);
    remember({from, what, counts});
    if (!counts) {
        hear_again_ = std::min(hear_again_, now_ + term_leap_pace);
    }
    if (counts && followed_ && same_reign(followed_->by, what.by)) {
        if (!what.stages.empty()) {
            followed_->stages = what.stages;
        }
        followed_->by = what.by;
    }
    if (counts && what.state == announced_state::retired && !wanted_) {
        heir_ = false;
    }
    reconsider();
    return finish();
}

/// What was not believed may be, now that the horizon has moved.
void candidate::hear_again() {
    hear_again_ = time_point::max();
    for (rival& r : rivals_) {
        r.counts = r.counts || terms_.hear(r.said.by.term, now_);
        if (!r.counts) {
            hear_again_ = now_ + term_leap_pace;
        }
    }
    reconsider();
}

actions candidate::claim_gone(const node_id& from, parting how, time_point now) {
    begin(now);
    if (state_ == candidate_state::stopped || find_rival(from) == nullptr) {
        return finish();
    }
    std::erase_if(rivals_, [&](const rival& r) { return r.node == from; });
    keep_term_ = false;
    reconsider(how == parting::withdrawn ? withdrawn_listen : duration{});
    return finish();
}

/// `listen` is how long to wait for somebody greater before taking the place of one that is gone.
void candidate::reconsider(duration listen) {
    const rival* other = leader();
    if (holding()) {
        if (other != nullptr && must_yield_to(*other)) {
            const claim to = other->said.by;
            const bool had_route = published_;
            release();
            if (had_route) {
                actions_.emplace_back(stand_down{to});
            }
            if (farewell_) {
                halt();
            } else {
                actions_.emplace_back(withdraw{});
                watch(*other);
            }
        }
        return;
    }
    if (other != nullptr) {
        watch(*other);
    } else if (state_ == candidate_state::watching) {
        succeed(listen);
    }
}

bool candidate::must_yield_to(const rival& other) const {
    if (state_ == candidate_state::starved && other.said.state == announced_state::serving) {
        return true;
    }
    if (!outranks(other.said.by, own_)) {
        return false;
    }
    return state_ != candidate_state::serving || farewell_ || other.said.state != announced_state::starved;
}

/// Again with every announcement of the one that is watched.
void candidate::watch(const rival& other) {
    const bool same = state_ == candidate_state::watching && followed_ && same_reign(followed_->by, other.said.by);
    if (!same) {
        auto heirs = followed_ ? std::move(followed_->stages) : std::vector<stage>{};
        followed_ = other.said;
        if (followed_->stages.empty()) {
            followed_->stages = std::move(heirs);  // until it has stages of its own
        }
        planning_ = false;
        sleep_until(time_point::max());
    }
    state_ = candidate_state::watching;
    keep_term_ = false;
    const auto& stages = other.said.stages;
    if (other.said.state == announced_state::serving) {
        heir_ = std::any_of(stages.begin(), stages.end(), [&](const stage& one) { return one.node == self_; });
    }
    if (other.said.state != announced_state::starved || !may_claim()) {
        planning_ = false;
        sleep_until(time_point::max());
    } else if (!planning_ && wake_ == time_point::max()) {
        sleep_until(now_ + trial_delay + spread(trial_delay));
    }
}

/// Nobody coordinates any more.
void candidate::succeed(duration listen) {
    planning_ = false;
    if (!may_claim()) {
        state_ = candidate_state::idle;
        sleep_until(time_point::max());
        return;
    }
    wait(listen + time_in_line());
    patient_until_ = wake_ + mend_patience;
}

/// Those that held stages in the order of the layers, as far as they are here; all others after them, and since they
/// have no list that all of them know, spread by chance.
duration candidate::time_in_line() {
    int before = 0;
    if (followed_) {
        for (const stage& one : followed_->stages) {
            if (one.node == self_) {
                return successor_stagger * before + spread(successor_jitter);
            }
            const bool here = std::binary_search(members_.begin(), members_.end(), one.node);
            before += one.node != followed_->by.coordinator && here ? 1 : 0;
        }
    }
    return successor_stagger * before + spread(successor_stagger * 2);
}

void candidate::wait(duration time) {
    state_ = candidate_state::waiting;
    listening_ = false;
    sleep_until(now_ + time);
}

void candidate::claim_model() {
    const bool again = keep_term_ && own_.term != 0 && own_.epoch != std::numeric_limits<epoch_number>::max();
    if (!again) {
        const auto term = terms_.next();
        if (!term) {
            wait(backoff_most);
            return;
        }
        own_ = {*term, self_, 0};
    }
    state_ = candidate_state::forming;
    served_ = false;
    request_plan();
    tell(announced_state::forming);
}

void candidate::tell(announced_state state) {
    announcement what{.by = own_, .state = state, .want = want_};
    if (opened_) {
        what.stages = plan_;
    }
    if (state == announced_state::starved) {
        what.reason = reason_;
    }
    actions_.emplace_back(announce{std::move(what)});
}

/// Everything at once: whoever keeps some stages while asking for others can wedge another deployment.
void candidate::release() {
    if (published_) {
        published_ = false;
        actions_.emplace_back(withdraw_route{});
    }
    if (opened_) {
        opened_ = false;
        actions_.emplace_back(close_stages{own_.epoch});
    }
    planning_ = false;
}

void candidate::give_up_claim() {
    release();
    actions_.emplace_back(withdraw{});
}

void candidate::halt() {
    release();
    if (holding()) {
        actions_.emplace_back(withdraw{});
    }
    state_ = candidate_state::stopped;
    hear_again_ = time_point::max();
    sleep_until(time_point::max());
}

}  // namespace starling::deployment
