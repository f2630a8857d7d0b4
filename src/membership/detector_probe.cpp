// Probe rounds, pings on behalf of others, and how much we trust our own senses.
#include "membership/membership.hpp"

#include <algorithm>
#include <iterator>

namespace starling::membership {

void detector::start_period() {
    next_period_ = now_ + probe_period * (1 + local_health_);
    if (const auto s = order_.next(table_, dice_)) {
        start_probe(*s);
    }
    if (const auto s = order_.next_urgent(table_)) {
        start_probe(*s);
    }
    greet_dead();
    ask_contacts();
}

void detector::start_probe(slot s) {
    const node_id target = table_.at(s).record->id;
    const bool running =
        std::any_of(probes_.begin(), probes_.end(), [&](const probe& p) { return p.target == target; });
    if (running || probes_.size() >= max_probes_in_flight) {
        return;
    }
    probes_.push_back({.sequence = ++sequence_,
                       .target = target,
                       .next_ping = now_ + ping_again_after,
                       .deadline = now_ + probe_round * (1 + local_health_)});
    post(target, ping{sequence_, news_for(target)});
}

void detector::step_probes() {
    for (probe& p : probes_) {
        if (now_ >= p.next_ping && now_ < p.deadline) {
            ping_again(p);
        }
    }
    const auto over = std::partition(probes_.begin(), probes_.end(), [&](const probe& p) { return now_ < p.deadline; });
    const std::vector<probe> failed(std::make_move_iterator(over), std::make_move_iterator(probes_.end()));
    probes_.erase(over, probes_.end());
    for (const probe& p : failed) {
        fail_round(p);
    }
}

void detector::ping_again(probe& p) {
    post(p.target, ping{p.sequence, news_for(p.target)});
    if (p.helpers.empty()) {
        p.helpers = random_live(helpers, p.target);
        for (const node_id& helper : p.helpers) {
            post(helper, ping_req{p.sequence, p.target, news_for(helper)});
        }
    }
    ++p.pings;
    p.next_ping = p.pings < max_pings_per_round ? now_ + ping_again_after : p.deadline;
}

void detector::fail_round(const probe& p) {
    // Helpers that say no are proof that our own network works; when most are silent too, it may be us.
    if (p.refused.size() * 2 <= p.helpers.size()) {
        adjust_local_health(+1);
    }
    const auto s = table_.find(p.target);
    if (!s || !table_.is_live(*s)) {
        return;
    }
    accuse(*s, {p.target, table_.at(*s).record->incarnation, claim::suspect, own().id});
    suspicion& doubt = *table_.at(*s).doubt;
    ++doubt.strikes;
    next_verdict_ = std::min(next_verdict_, verdict_time(doubt));
    if (doubt.strikes == 1) {
        order_.add_urgent(*s);
        post(p.target, gossip{news_for(p.target)});
    }
}

void detector::adjust_local_health(int by) {
    local_health_ = std::clamp(local_health_ + by, 0, max_local_health);
}

void detector::step_relays() {
    std::erase_if(relays_, [&](const relay& r) {
        if (now_ < r.deadline) {
            return false;
        }
        post(r.asker, nack{r.asked_sequence});
        return true;
    });
}

/// Everybody greets the dead seldom enough that one of them hears about one voice per period, not a thousand.
void detector::greet_dead() {
    const auto dead = table_.dead();
    const double share =
        greetings_per_dead * static_cast<double>(dead.size()) / static_cast<double>(table_.live().size() + 1);
    if (dead.empty() || dice_.fraction() >= share) {
        return;
    }
    const record& r = *table_.at(dead[dice_.below(dead.size())]).record;
    // No other news: it would count as told.
    post(r.id, ping{++sequence_, {.accusations = {{r.id, r.incarnation, claim::dead, own().id}}}});
}

void detector::on(const node_id& from, const ping& m) {
    apply(from, m.news);
    conversation_.answered = true;
    post(from, ack{m.sequence, news_for(from)});
}

void detector::on(const node_id& from, const ping_req& m) {
    apply(from, m.news);
    const auto s = table_.find(m.target);
    if (m.target == own().id) {
        post(from, ack{m.sequence, news_for(from)});
        return;
    }
    if (!s || m.target == from || relays_.size() >= max_relays_in_flight) {
        post(from, nack{m.sequence});
        return;
    }
    relays_.push_back({.sequence = ++sequence_,
                       .target = m.target,
                       .asker = from,
                       .asked_sequence = m.sequence,
                       .deadline = now_ + relay_wait});
    post(m.target, ping{sequence_, news_for(m.target)});
}

void detector::on(const node_id& from, const ack& m) {
    apply(from, m.news);
    std::erase_if(probes_, [&](const probe& p) {
        const bool answers = p.sequence == m.sequence && (p.target == from || p.is_helper(from));
        if (answers) {
            adjust_local_health(-1);
        }
        return answers;
    });
    std::erase_if(relays_, [&](const relay& r) {
        if (r.sequence != m.sequence || r.target != from) {
            return false;
        }
        post(r.asker, ack{r.asked_sequence, news_for(r.asker)});
        return true;
    });
}

void detector::on(const node_id& from, const nack& m) {
    for (probe& p : probes_) {
        const bool counted = std::find(p.refused.begin(), p.refused.end(), from) != p.refused.end();
        if (p.sequence == m.sequence && p.is_helper(from) && !counted) {
            p.refused.push_back(from);
        }
    }
}

}  // namespace starling::membership
