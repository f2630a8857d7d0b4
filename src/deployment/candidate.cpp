#include "deployment/deployment.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <utility>

namespace starling::deployment {

const char* to_string(candidate_state state) {
    switch (state) {
        case candidate_state::idle: return "idle";
        case candidate_state::watching: return "watching";
        case candidate_state::waiting: return "waiting";
        case candidate_state::forming: return "forming";
        case candidate_state::serving: return "serving";
        case candidate_state::repairing: return "repairing";
        case candidate_state::starved: return "starved";
        case candidate_state::stopped: return "stopped";
    }
    return "stopped";
}

candidate::candidate(setup s) : self_(s.self), want_(std::move(s.want)), seed_(s.seed) {}

bool candidate::holding() const {
    return state_ == candidate_state::forming || state_ == candidate_state::serving ||
           state_ == candidate_state::repairing || state_ == candidate_state::starved;
}

void candidate::begin(time_point now) {
    now_ = std::max(now_, now);
}

actions candidate::finish() {
    return std::exchange(actions_, {});
}

double candidate::fraction() {
    return uniform_draw(seed_, draws_++);
}

duration candidate::spread(duration most) {
    return duration(static_cast<duration::rep>(fraction() * static_cast<double>(most.count())));
}

/// Random over half its length, so that two that met once do not meet again.
duration candidate::backoff() {
    constexpr int most_doublings = 6;
    const duration whole =
        std::min<duration>(backoff_least * (1 << std::clamp(failures_ - 1, 0, most_doublings)), backoff_most);
    return whole / 2 + spread(whole / 2);
}

void candidate::note_failure() {
    constexpr int enough = 1000;  // of counting
    if (state_ == candidate_state::serving && now_ - serving_since_ >= settled_after) {
        failures_ = 0;
    }
    failures_ = std::min(failures_ + 1, enough);
}

actions candidate::start(time_point now) {
    begin(now);
    wanted_ = true;
    if (state_ == candidate_state::idle || state_ == candidate_state::watching) {
        if (const rival* other = leader()) {
            watch(*other);
        } else {
            wait(listen_first + spread(start_spread));
            listening_ = true;
        }
    }
    return finish();
}

actions candidate::everybody_heard(time_point now) {
    begin(now);
    if (state_ == candidate_state::waiting && std::exchange(listening_, false)) {
        patient_until_ = wake_;
        sleep_until(std::min(wake_, now_ + spread(heard_spread)));
    }
    return finish();
}

actions candidate::inherit(time_point now) {
    begin(now);
    heir_ = true;
    if (state_ == candidate_state::idle) {
        if (const rival* other = leader()) {
            watch(*other);
        } else {
            wait(heir_listen);
        }
    }
    return finish();
}

actions candidate::members(std::vector<node_id> usable, std::uint64_t version, time_point now) {
    begin(now);
    usable.resize(std::min(usable.size(), max_known_members));
    std::sort(usable.begin(), usable.end());
    const bool others_than_before = usable != members_;
    const bool changed = others_than_before || version != version_;
    members_ = std::move(usable);
    version_ = version;
    if (others_than_before) {
        failures_ = std::min(failures_, 2);  // what failed before need not fail again
    }
    std::erase_if(avoided_, [&](const avoided& a) {  // it may come back as another
        return !std::binary_search(members_.begin(), members_.end(), a.node);
    });
    if (opened_) {
        for (const stage& one : plan(plan_)) {
            if (one.node != self_ && !std::binary_search(members_.begin(), members_.end(), one.node)) {
                fail_stage(one.node, {.kind = trouble_kind::lost});
                break;  // the others will not be in the next plan either
            }
        }
    }
    if (changed && !planning_ && !farewell_) {
        plan_soon();
    }
    return finish();
}

/// Those that wait for the figures to change: the starved, and after them those who watch one.
void candidate::plan_soon() {
    const int doublings = std::max(fruitless_plans_ - 1, 0);
    const auto pace = std::min<duration>(starved_pace, starved_pace_first * (1 << doublings));
    const auto soon = std::max(now_ + starved_wake, last_plan_ + pace);
    if (state_ == candidate_state::starved) {
        sleep_until(std::min(wake_, soon + spread(starved_wake)));
    } else if (state_ == candidate_state::watching && wake_ != time_point::max()) {
        sleep_until(std::min(wake_, soon + trial_delay + spread(trial_delay)));
    }
}

actions candidate::tick(time_point now) {
    begin(now);
    if (now_ >= hear_again_ && state_ != candidate_state::stopped) {
        hear_again();
    }
    if (now_ < wake_) {
        return finish();
    }
    sleep_until(time_point::max());
    if (farewell_) {
        halt();
        return finish();
    }
    switch (state_) {
        case candidate_state::waiting: claim_model(); break;
        case candidate_state::forming:
        case candidate_state::repairing:
            if (opened_) {
                fail_silent_stages();
            } else {
                request_plan();
            }
            break;
        case candidate_state::watching:
        case candidate_state::starved: request_plan(); break;
        case candidate_state::idle:
        case candidate_state::serving:
        case candidate_state::stopped: break;
    }
    return finish();
}

actions candidate::replan_is_better(time_point now) {
    begin(now);
    if (state_ == candidate_state::serving && !farewell_ && now_ - serving_since_ >= improve_pace) {
        release();
        state_ = candidate_state::repairing;
        request_plan();
    }
    return finish();
}

actions candidate::stop(farewell how, time_point now) {
    begin(now);
    if (state_ == candidate_state::stopped || farewell_) {
        return finish();
    }
    wanted_ = false;
    heir_ = false;
    planning_ = false;
    const bool alone = std::none_of(members_.begin(), members_.end(), [&](const node_id& id) { return id != self_; });
    if (!holding() || alone || (how == farewell::hand_over && !published_)) {
        halt();
        return finish();
    }
    farewell_ = how;
    if (how == farewell::hand_over) {
        tell(announced_state::leaving);
        sleep_until(now_ + hand_over_wait);
    } else {
        release();
        tell(announced_state::retired);
        sleep_until(now_ + farewell_time);
    }
    return finish();
}

}  // namespace starling::deployment
