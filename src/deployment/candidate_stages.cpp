// Plans, stages, and what to do when one of them fails.
#include "deployment/deployment.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace starling::deployment {

void candidate::request_plan() {
    std::erase_if(avoided_, [&](const avoided& a) { return now_ >= a.until; });
    planning_ = true;
    last_plan_ = now_;
    planned_version_ = version_;
    actions_.emplace_back(make_plan{++ticket_, avoided_now()});
    sleep_until(now_ + plan_limit);
}

std::vector<node_id> candidate::avoided_now() const {
    std::vector<node_id> out;
    for (const avoided& a : avoided_) {
        out.push_back(a.node);
    }
    for (const rival& r : rivals_) {
        if (r.counts && r.said.state == announced_state::leaving) {
            out.push_back(r.node);
        }
    }
    return out;
}

actions candidate::plan_made(plan_ticket ticket, plan_answer answer, time_point now) {
    begin(now);
    if (ticket == ticket_ && planning_ && !farewell_) {
        planning_ = false;
        sleep_until(time_point::max());
        use_plan(std::move(answer));
    }
    return finish();
}

void candidate::use_plan(plan_answer answer) {
    if (!answer.stages.empty() && !makes_sense(answer.stages)) {
        answer = {.reason = "The planner gave a plan that cannot be used."};
    }
    if (answer.stages.empty() && forgive()) {
        request_plan();
        return;
    }
    fruitless_plans_ = answer.stages.empty() ? std::min(fruitless_plans_ + 1, starved_doublings) : 0;
    if (answer.stages.empty() && now_ < patient_until_ && state_ != candidate_state::watching) {
        sleep_until(now_ + mend_retry);
        return;
    }
    if (state_ == candidate_state::watching) {
        if (answer.stages.empty()) {
            sleep_until(now_ + starved_retry + spread(starved_retry));
            plan_again_if_outdated();
        } else {
            claim_model();
        }
        return;
    }
    if (answer.stages.empty()) {
        starve(std::move(answer.reason));
    } else {
        open(std::move(answer.stages));
    }
}

bool candidate::makes_sense(const plan& p) const {
    if (p.size() > max_stages || p.back().node != self_) {
        return false;
    }
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const auto same = [&](const stage& other) { return other.node == p[i].node; };
        if (p[i].layers.first != next || p[i].layers.end <= next || std::count_if(p.begin(), p.end(), same) != 1) {
            return false;
        }
        next = p[i].layers.end;
    }
    return true;
}

void candidate::open(plan p) {
    if (own_.epoch == std::numeric_limits<epoch_number>::max()) {
        give_up_claim();  // a new term begins its epochs anew
        wait(backoff_least);
        return;
    }
    ++own_.epoch;
    if (state_ == candidate_state::starved) {
        state_ = served_ ? candidate_state::repairing : candidate_state::forming;
    }
    plan_ = std::move(p);
    ready_.assign(plan_.size(), false);
    opened_ = true;
    tell(state_ == candidate_state::repairing ? announced_state::repairing : announced_state::forming);
    actions_.emplace_back(open_stages{own_, plan(plan_.begin(), plan_.end() - 1)});
    actions_.emplace_back(load_last{own_, plan_.back().layers});
    sleep_until(now_ + load_limit);
}

actions candidate::stage_ready(const node_id& node, epoch_number epoch, time_point now) {
    begin(now);
    if (!opened_ || published_ || epoch != own_.epoch) {
        return finish();
    }
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (plan_[i].node == node) {
            ready_[i] = true;
        }
    }
    if (std::find(ready_.begin(), ready_.end(), false) == ready_.end()) {
        state_ = candidate_state::serving;
        published_ = true;
        served_ = true;
        memory_refusals_ = 0;
        serving_since_ = now_;
        sleep_until(time_point::max());
        actions_.emplace_back(publish_route{own_, plan_});
        tell(announced_state::serving);
    }
    return finish();
}

actions candidate::stage_failed(const node_id& node, epoch_number epoch, const trouble& why, time_point now) {
    begin(now);
    const auto in_plan = [&](const stage& one) { return one.node == node; };
    if (opened_ && epoch == own_.epoch && std::any_of(plan_.begin(), plan_.end(), in_plan)) {
        fail_stage(node, why);
    }
    return finish();
}

void candidate::fail_stage(const node_id& node, const trouble& why) {
    if (farewell_) {
        halt();  // there is no point in mending what is handed over
        return;
    }
    note_failure();
    const bool at_once = state_ == candidate_state::serving && failures_ == 1;
    reason_ = "The stage on " + short_name(node) + " was not to be had: " + to_string(why.kind) + ".";
    switch (why.kind) {
        case trouble_kind::held:
        case trouble_kind::revoked:
        case trouble_kind::superseded: outbid(node, why); return;
        case trouble_kind::memory:
            if (++memory_refusals_ >= memory_refusals_to_starve) {
                memory_refusals_ = 0;
                starve("The memory that was free by its own account was not on " + short_name(node) + ".");
                return;
            }
            if (memory_refusals_ > 1 && node != self_) {
                avoid(node, avoid_refusing, false);
            }
            try_again(backoff());
            return;
        case trouble_kind::no_file:
        case trouble_kind::failed:
            if (node == self_) {
                starve("This node cannot load its own part: " + std::string(to_string(why.kind)) + ".");  // others may
                return;
            }
            avoid(node, why.kind == trouble_kind::failed ? avoid_broken : avoid_without_file, true);
            try_again(at_once ? duration{} : backoff());
            return;
        case trouble_kind::lost:
        case trouble_kind::leaving:
            avoid(node, why.kind == trouble_kind::lost ? avoid_lost : avoid_leaving, why.kind == trouble_kind::leaving);
            try_again(at_once ? duration{} : backoff());
            return;
    }
}

/// A stage sides with somebody greater. If that one is alive we hear of it before the pause is over, and watch.
void candidate::outbid(const node_id& node, const trouble& why) {
    if (why.holder && (outranks(own_, *why.holder) || !terms_.hear(why.holder->term, now_))) {
        avoid(node, avoid_refusing, false);  // one of the two terms is absurd: go without this stage
        try_again(backoff());
        return;
    }
    if (why.holder) {
        keep_term_ = why.holder_connected && why.holder->coordinator != self_;
    }
    give_up_claim();
    if (const rival* other = leader(); other != nullptr && outranks(other->said.by, own_)) {
        watch(*other);
        return;
    }
    wait(listen_first + backoff());
}

void candidate::try_again(duration pause) {
    const bool again = served_;
    if (state_ == candidate_state::serving) {
        patient_until_ = now_ + mend_patience;
    }
    release();
    state_ = again ? candidate_state::repairing : candidate_state::forming;
    tell(again ? announced_state::repairing : announced_state::forming);
    if (pause == duration{}) {
        request_plan();
    } else {
        sleep_until(now_ + pause);
    }
}

void candidate::starve(std::string reason) {
    release();
    reason.resize(std::min(reason.size(), max_reason_bytes));
    const bool news = state_ != candidate_state::starved || reason != reason_;
    state_ = candidate_state::starved;
    reason_ = std::move(reason);
    if (news) {
        tell(announced_state::starved);
    }
    sleep_until(now_ + starved_retry + spread(starved_retry / 2));
    plan_again_if_outdated();
    reconsider();
}

/// What changed while the planner thought has woken nobody.
void candidate::plan_again_if_outdated() {
    if (planned_version_ != version_) {
        plan_soon();
    }
}

void candidate::avoid(const node_id& node, duration time, bool strictly) {
    std::erase_if(avoided_, [&](const avoided& a) { return a.node == node; });
    if (node == self_) {
        return;
    }
    if (avoided_.size() >= max_avoided) {
        avoided_.erase(avoided_.begin());
    }
    avoided_.push_back({node, now_ + time, strictly});
}

/// Those that are avoided out of mere caution. Whether there were any.
bool candidate::forgive() {
    return std::erase_if(avoided_, [](const avoided& a) { return !a.strictly; }) != 0;
}

void candidate::fail_silent_stages() {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (!ready_[i]) {
            fail_stage(plan_[i].node, {.kind = trouble_kind::failed});
            return;
        }
    }
}

}  // namespace starling::deployment
