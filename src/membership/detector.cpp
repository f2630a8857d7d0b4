#include "membership/membership.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace starling::membership {

namespace {

error too_large(std::size_t bytes) {
    return fail(errc::payload_too_large, "The description of this node takes " + std::to_string(bytes) +
                                             " bytes and at most " + std::to_string(max_payload_bytes) +
                                             " can be gossiped. Give it a shorter name or fewer addresses.");
}

shared_record make_record(const signer& sign, record r) {
    r.signature = sign(r);
    assert(r.signature.size() <= max_signature_bytes);
    return std::make_shared<const record>(std::move(r));
}

shared_record first_record(setup& s) {
    return make_record(s.sign, {.id = s.self,
                                .incarnation = std::min(s.incarnation, max_incarnation),
                                .kind = record_kind::alive,
                                .payload = std::move(s.payload)});
}

}  // namespace

result<detector> detector::create(setup s, time_point now) {
    if (s.payload.size() > max_payload_bytes) {
        return too_large(s.payload.size());
    }
    return detector(std::move(s), now);
}

detector::detector(setup s, time_point now)
    : table_(first_record(s), now),
      dice_(s.seed),
      sign_(std::move(s.sign)),
      now_(now),
      last_tick_(now),
      last_raise_(now - raise_pace),
      last_gossip_(now - gossip_period),
      last_sync_(now - sync_soon),
      last_introduction_(now - introduction_pace),
      sync_answers_from_(now),
      next_period_(now + dice_.up_to(probe_period)),
      next_sync_(now + dice_.up_to(sync_period)),
      next_expiry_(now + expiry_period) {}

void detector::begin(time_point now) {
    now_ = std::max(now_, now);
    conversation_ = {};
}

actions detector::finish() {
    if (urgent_news_ && now_ >= last_gossip_ + gossip_at_least) {
        run_gossip_round(gossip_fanout);
    }
    return std::exchange(actions_, {});
}

void detector::post(const node_id& to, message m) {
    actions_.emplace_back(send{to, std::move(m)});
}

void detector::report(slot s, std::optional<member_state> before) {
    const member& m = table_.at(s);
    actions_.emplace_back(member_changed{m.record->id, before, m.state, m.record});
}

actions detector::tick(time_point now) {
    begin(now);
    if (now_ - last_tick_ > stall_after) {
        forgive_after_stall();
    }
    last_tick_ = now_;
    if (!gone()) {
        step_probes();
        step_relays();
        step_suspicions();
        if (wanted_incarnation_ && now_ >= last_raise_ + raise_pace) {
            raise();
        }
        if (now_ >= next_period_) {
            start_period();
        }
        if (now_ >= next_sync_) {
            sync_with_anyone();
        }
        if (now_ >= next_expiry_) {
            expire_tombstones();
        }
    }
    if (!news_.empty() && now_ >= last_gossip_ + gossip_period) {
        run_gossip_round(gossip_fanout);
    }
    return finish();
}

actions detector::receive(const node_id& from, const message& m, time_point now) {
    begin(now);
    if (from == own().id || gone()) {
        return finish();
    }
    std::visit([&](const auto& content) { on(from, content); }, m);
    if (table_.find(from)) {
        answer_unasked(from);
    } else {
        introduce(from);
    }
    return finish();
}

actions detector::join(const node_id& id, time_point now) {
    begin(now);
    if (id == own().id || gone()) {
        return finish();
    }
    std::erase_if(contacts_, [&](const auto& known) { return known.id == id; });
    if (contacts_.size() >= max_contacts) {
        contacts_.erase(contacts_.begin());
    }
    contacts_.push_back({.id = id, .next_ask = now_ + join_retry});
    start_sync(id);
    return finish();
}

void detector::ask_contacts() {
    for (contact& c : contacts_) {
        if (const auto s = table_.find(c.id); s && table_.is_live(*s)) {
            c.wait = join_retry;
            c.next_ask = now_ + c.wait;
        } else if (now_ >= c.next_ask) {
            c.wait = std::min(c.wait * 2, join_retry_most);
            c.next_ask = now_ + c.wait;
            start_sync(c.id);
        }
    }
}

actions detector::look_at(const node_id& id, time_point now) {
    begin(now);
    if (const auto s = table_.find(id); s && table_.is_live(*s) && !gone()) {
        start_probe(*s);
    }
    return finish();
}

result<actions> detector::set_payload(byte_string payload, time_point now) {
    if (payload.size() > max_payload_bytes) {
        return too_large(payload.size());
    }
    begin(now);
    if (!gone() && payload != own().payload) {
        publish(record_kind::alive, std::move(payload), own().incarnation + 1);
    }
    return finish();
}

actions detector::leave(time_point now) {
    begin(now);
    if (gone()) {
        return finish();
    }
    publish(record_kind::left, own().payload, own().incarnation + 1);
    probes_.clear();
    relays_.clear();
    run_gossip_round(leave_fanout);
    return finish();
}

void detector::publish(record_kind kind, byte_string payload, incarnation_number incarnation) {
    const auto before = table_.at(member_table::self).state;
    const auto number = std::min(std::max(incarnation, wanted_incarnation_.value_or(0)), max_incarnation);
    wanted_incarnation_.reset();
    last_raise_ = now_;
    table_.replace(
        member_table::self,
        make_record(sign_, {.id = own().id, .incarnation = number, .kind = kind, .payload = std::move(payload)}));
    if (kind == record_kind::left) {
        table_.set_state(member_table::self, member_state::left, now_);
    }
    news_.renew(member_table::self, topic::record);
    urgent_news_ = true;
    report(member_table::self, before);
}

void detector::demand_raise(incarnation_number above) {
    if (own().incarnation >= max_incarnation) {
        return;  // only our own key could have signed its way here
    }
    wanted_incarnation_ = std::max(wanted_incarnation_.value_or(0), above + 1);
    if (now_ >= last_raise_ + raise_pace) {
        raise();
    }
}

void detector::raise() {
    adjust_local_health(+1);  // that we were not heard may be our own fault
    publish(record_kind::alive, own().payload, own().incarnation + 1);
}

void detector::forgive_after_stall() {
    probes_.clear();
    relays_.clear();
    for (const slot s : table_.suspects()) {
        table_.at(s).doubt->since = now_;
    }
}

void detector::expire_tombstones() {
    next_expiry_ = now_ + expiry_period;
    std::vector<slot> expired;
    for (const slot s : table_.dead()) {
        if (now_ - table_.at(s).since > dead_kept) {
            expired.push_back(s);
        }
    }
    for (const slot s : table_.left()) {
        if (now_ - table_.at(s).since > left_kept) {
            expired.push_back(s);
        }
    }
    for (const slot s : expired) {
        forget(s);
    }
}

void detector::forget(slot s) {
    const member& m = table_.at(s);
    actions_.emplace_back(member_changed{m.record->id, m.state, std::nullopt, m.record});
    news_.forget(s);
    table_.erase(s);
}

std::vector<node_id> detector::random_live(std::size_t count, const node_id& except) {
    const auto live = table_.live();
    std::vector<node_id> chosen;
    if (live.size() <= count + 1) {
        for (const slot s : live) {
            if (table_.at(s).record->id != except) {
                chosen.push_back(table_.at(s).record->id);
            }
        }
        dice_.shuffle(std::span(chosen));
        chosen.resize(std::min(chosen.size(), count));
        return chosen;
    }
    while (chosen.size() < count) {  // more live ones than refusals: ends
        const node_id& id = table_.at(live[dice_.below(live.size())]).record->id;
        if (id != except && std::find(chosen.begin(), chosen.end(), id) == chosen.end()) {
            chosen.push_back(id);
        }
    }
    return chosen;
}

time_point detector::next_tick() const {
    time_point next = time_point::max();
    const auto consider = [&](time_point at) { next = std::min(next, at); };
    if (!news_.empty() && !table_.live().empty()) {
        consider(last_gossip_ + (urgent_news_ ? gossip_at_least : gossip_period));
    }
    if (gone()) {
        return next;
    }
    consider(next_period_);
    consider(next_sync_);
    consider(next_expiry_);
    consider(next_verdict_);
    if (wanted_incarnation_) {
        consider(last_raise_ + raise_pace);
    }
    for (const probe& p : probes_) {
        consider(std::min(p.next_ping, p.deadline));
    }
    for (const relay& r : relays_) {
        consider(r.deadline);
    }
    return next;
}

std::optional<member_view> detector::find(const node_id& id) const {
    const auto s = table_.find(id);
    if (!s) {
        return std::nullopt;
    }
    const member& m = table_.at(*s);
    return member_view{m.record, m.state, m.since};
}

std::vector<member_view> detector::members() const {
    std::vector<member_view> all;
    all.reserve(table_.size());
    table_.for_each([&](slot, const member& m) { all.push_back({m.record, m.state, m.since}); });
    return all;
}

}  // namespace starling::membership
