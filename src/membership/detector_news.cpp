// Records and accusations: what they change here, and how they are passed on.
#include "membership/membership.hpp"
#include "membership/suspicion_policy.hpp"

#include <algorithm>

namespace starling::membership {

namespace {

/// What fits in a datagram beside headers and the rest of the message.
class news_batch {
  public:
    news content;

    bool add(const shared_record& r) { return add(content.records, r, estimated_bytes(*r)); }
    bool add(const accusation& a) { return add(content.accusations, a, accusation_bytes); }

  private:
    template <class T>
    bool add(std::vector<T>& to, const T& what, std::size_t bytes) {
        if (bytes > left_) {
            return false;
        }
        left_ -= bytes;
        to.push_back(what);
        return true;
    }

    std::size_t left_ = datagram_bytes - message_overhead_bytes - message_bytes - id_bytes;
};

bool acceptable(const record& r) {
    return r.incarnation <= max_incarnation && r.payload.size() <= max_payload_bytes &&
           r.signature.size() <= max_signature_bytes;
}

}  // namespace

void detector::on(const node_id& from, const gossip& m) {
    apply(from, m.news);
}

void detector::apply(const node_id& from, const news& n) {
    // Records first: an accusation in the same message may be about one of them.
    for (std::size_t i = 0; i < std::min(n.records.size(), max_news_per_message); ++i) {
        apply_record(n.records[i], source::gossip);
    }
    for (std::size_t i = 0; i < std::min(n.accusations.size(), max_news_per_message); ++i) {
        apply_accusation(from, n.accusations[i], source::gossip);
    }
}

bool detector::apply_record(const shared_record& r, source via) {
    if (!r || !acceptable(*r)) {
        return false;
    }
    if (r->id == own().id) {
        return apply_own_record(*r);
    }
    if (const auto known = table_.find(r->id)) {
        if (r->incarnation <= table_.at(*known).record->incarnation) {
            if (r->incarnation == table_.at(*known).record->incarnation) {
                news_.heard(*known, topic::record, gossip_limit(table_.live().size() + 1));
            }
            return false;
        }
        accept(*known, r, via);
        return true;
    }
    if (r->kind == record_kind::left) {
        return false;  // a tombstone for somebody we never knew protects nothing
    }
    if (table_.full()) {
        const auto oldest = table_.oldest_tombstone();
        if (!oldest) {
            return false;
        }
        forget(*oldest);
    }
    const slot s = table_.insert(r, now_);
    spread(s, via);
    order_.add(s, dice_);
    report(s, std::nullopt);
    return true;
}

/// A table full of records is not news to be told one by one: whoever lacks them syncs as well.
void detector::spread(slot s, source via) {
    if (via == source::gossip) {
        news_.renew(s, topic::record);
    } else {
        news_.forget(s);
    }
}

/// Something that we signed in a past life, or somewhere else.
bool detector::apply_own_record(const record& r) {
    if (r.incarnation < own().incarnation || r == own()) {
        return false;
    }
    demand_raise(r.incarnation);
    return true;
}

void detector::accept(slot s, const shared_record& r, source via) {
    const member_state before = table_.at(s).state;
    const member_state after = r->kind == record_kind::left ? member_state::left : member_state::alive;
    table_.replace(s, r);
    if (before != after) {
        table_.set_state(s, after, now_);
    }
    spread(s, via);
    report(s, before);
    if (after == member_state::left && before != after) {
        urgent_news_ = via == source::gossip;  // it does not stay to say it again
    }
    const bool was_gone = before == member_state::dead || before == member_state::left;
    if (after == member_state::alive && was_gone) {
        order_.add(s, dice_);
        urgent_news_ = via == source::gossip;
        // It was cut off, and perhaps others with it: what it knows is worth more than anybody else's.
        if (now_ >= last_sync_ + sync_soon) {
            start_sync(r->id);
        } else {
            sync_again_soon();
        }
    }
}

void detector::apply_accusation(const node_id& from, const accusation& a, source via) {
    if (a.accuser == own().id || a.accuser == a.subject) {
        return;
    }
    if (a.subject == own().id) {
        if (a.incarnation > own().incarnation) {
            introduce(from);  // let it show the record
            return;
        }
        conversation_.show_own = true;
        if (a.incarnation == own().incarnation) {
            demand_raise(a.incarnation);
        }
        return;
    }
    const auto s = table_.find(a.subject);
    if (!s || !table_.is_live(*s) || table_.at(*s).record->incarnation != a.incarnation) {
        return;
    }
    if (via == source::sync) {
        order_.add_urgent(*s);  // a whole table of claims at once, after a partition: a reason to look, not to believe
        return;
    }
    if (const auto accuser = table_.find(a.accuser); accuser && table_.is_live(*accuser)) {
        accuse(*s, a);
    }
}

/// `s` is live and `a` about its current incarnation.
void detector::accuse(slot s, const accusation& a) {
    bool is_news = false;
    if (table_.at(s).state == member_state::alive) {
        table_.set_state(s, member_state::suspect, now_);
        table_.at(s).doubt->since = now_;
        report(s, member_state::alive);
    }
    suspicion& doubt = *table_.at(s).doubt;
    const bool counted = std::find(doubt.accusers.begin(), doubt.accusers.end(), a.accuser) != doubt.accusers.end();
    if (!counted && doubt.accusers.size() < confirmations + 1) {
        doubt.accusers.push_back(a.accuser);
        is_news = true;
    }
    if (a.kind == claim::dead && !doubt.concluded_by_other) {
        doubt.concluded_by_other = true;
        is_news = true;
    }
    if (is_news) {
        doubt.told = a;
        news_.renew(s, topic::accusation);
    }
    next_verdict_ = std::min(next_verdict_, verdict_time(doubt));
}

/// When this suspicion ends, as things stand.
time_point detector::verdict_time(const suspicion& doubt) const {
    return doubt.since + patience({.members = table_.live().size() + 1,
                                   .accusers = doubt.accusers.size(),
                                   .strikes = doubt.strikes,
                                   .concluded_by_other = doubt.concluded_by_other});
}

void detector::step_suspicions() {
    if (now_ < next_verdict_) {
        return;
    }
    next_verdict_ = time_point::max();
    const std::vector<slot> suspects(table_.suspects().begin(), table_.suspects().end());
    for (const slot s : suspects) {
        const suspicion& doubt = *table_.at(s).doubt;
        if (const auto verdict = verdict_time(doubt); now_ < verdict) {
            next_verdict_ = std::min(next_verdict_, verdict);
            continue;
        }
        const bool was_told = doubt.concluded_by_other;
        table_.set_state(s, member_state::dead, now_);
        if (!was_told) {
            news_.renew(s, topic::accusation);
        }
        report(s, member_state::suspect);
        // Perhaps it has refuted and only we did not hear of it: somebody else's table will tell.
        next_sync_ = std::min(next_sync_, now_ + sync_after_verdict / 2 + dice_.up_to(sync_after_verdict));
    }
}

/// An accused is told to its face, before anything else: it can only refute what it hears of.
news detector::news_for(const node_id& to) {
    news_batch batch;
    const auto receiver = table_.find(to);
    if (receiver) {
        const member& m = table_.at(*receiver);
        if (m.state == member_state::suspect || m.state == member_state::dead) {
            batch.add(
                {to, m.record->incarnation, m.state == member_state::dead ? claim::dead : claim::suspect, own().id});
        }
    }
    if (conversation_.show_own) {
        batch.add(table_.at(member_table::self).record);
    }
    const auto told = [](bool added) { return added ? news_queue::verdict::told : news_queue::verdict::no_room; };
    news_.offer(gossip_limit(table_.live().size() + 1), [&](slot s, topic t) {
        const member& m = table_.at(s);
        if (receiver == s) {
            return news_queue::verdict::no_room;  // it knows best itself
        }
        if (t == topic::record) {
            const bool shown = s == member_table::self && conversation_.show_own;
            return shown ? news_queue::verdict::told : told(batch.add(m.record));
        }
        switch (m.state) {
            case member_state::suspect: return told(batch.add(m.doubt->told));
            case member_state::dead:
                return told(batch.add({m.record->id, m.record->incarnation, claim::dead, own().id}));
            case member_state::alive:
            case member_state::left: break;
        }
        return news_queue::verdict::stale;
    });
    return std::move(batch.content);
}

void detector::run_gossip_round(std::size_t fanout) {
    if (table_.live().empty()) {
        return;
    }
    urgent_news_ = false;
    last_gossip_ = now_;
    for (const node_id& to : random_live(fanout, own().id)) {
        auto content = news_for(to);
        if (!content.records.empty() || !content.accusations.empty()) {
            post(to, gossip{std::move(content)});
        }
    }
}

/// One that we hold for dead speaks, or one accuses us, and no answer is under way that tells it.
void detector::answer_unasked(const node_id& from) {
    member& m = table_.at(*table_.find(from));
    const bool accused = m.state == member_state::suspect || m.state == member_state::dead;
    if ((accused || conversation_.show_own) && !conversation_.answered && now_ >= m.answered + answer_pace) {
        m.answered = now_;
        post(from, gossip{news_for(from)});
    }
}

}  // namespace starling::membership
