// Dialogues with one detector: what is said to it and what it does.
#pragma once

#include "membership/membership.hpp"
#include "membership/suspicion_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace starling::membership {

inline const time_point start_of_time = time_point{} + 1000s;

inline node_id make_id(std::uint8_t name) {
    node_id id;
    id.bytes.fill(name);
    return id;
}

inline const node_id me = make_id(1);

inline shared_record make_record(const node_id& id, incarnation_number incarnation,
                                 record_kind kind = record_kind::alive, std::size_t payload = 4) {
    return std::make_shared<const record>(
        record{.id = id, .incarnation = incarnation, .kind = kind, .payload = byte_string(payload), .signature = {}});
}

inline result<detector> make_detector(incarnation_number incarnation = 10) {
    return detector::create(
        {.self = me,
         .payload = byte_string(4),
         .incarnation = incarnation,
         .sign = [](const record& r) { return byte_string(1, static_cast<std::byte>(r.incarnation)); },
         .seed = 7},
        start_of_time);
}

/// Everything that was sent, of one type.
template <class M>
std::vector<std::pair<node_id, M>> sent(const actions& all) {
    std::vector<std::pair<node_id, M>> found;
    for (const action& a : all) {
        if (const auto* s = std::get_if<send>(&a); s != nullptr && std::holds_alternative<M>(s->message)) {
            found.emplace_back(s->to, std::get<M>(s->message));
        }
    }
    return found;
}

inline std::vector<member_changed> changes(const actions& all, const node_id& id) {
    std::vector<member_changed> found;
    for (const action& a : all) {
        if (const auto* c = std::get_if<member_changed>(&a); c != nullptr && c->id == id) {
            found.push_back(*c);
        }
    }
    return found;
}

class detector_test : public testing::Test {
  protected:
    /// A record of `id` reaches us by gossip from itself.
    actions meet(const node_id& id, incarnation_number incarnation = 5) {
        return hear(id, gossip{{.records = {make_record(id, incarnation)}}});
    }

    actions hear(const node_id& from, message m) { return node.receive(from, m, now); }

    actions accused(const node_id& subject, incarnation_number incarnation, const node_id& accuser,
                    claim kind = claim::suspect) {
        return hear(accuser, gossip{{.accusations = {{subject, incarnation, kind, accuser}}}});
    }

    /// Ticks whenever the detector wants to, until `time` has passed; every ping is answered but those to `silent`.
    /// Helpers answer with a nack.
    actions pass(duration time, std::vector<node_id> silent = {}) {
        actions all;
        const auto end = now + time;
        while (node.next_tick() <= end) {
            now = std::max(now + 1ms, node.next_tick());
            actions todo = node.tick(now);
            for (std::size_t i = 0; i < todo.size(); ++i) {
                const auto* s = std::get_if<send>(&todo[i]);
                if (s == nullptr || std::find(silent.begin(), silent.end(), s->to) != silent.end()) {
                    continue;
                }
                actions more;
                if (const auto* p = std::get_if<ping>(&s->message)) {
                    more = node.receive(s->to, ack{p->sequence, {}}, now);
                } else if (const auto* q = std::get_if<ping_req>(&s->message)) {
                    more = node.receive(s->to, nack{q->sequence}, now);
                }
                todo.insert(todo.end(), more.begin(), more.end());
            }
            all.insert(all.end(), todo.begin(), todo.end());
        }
        now = end;
        return all;
    }

    member_state state_of(const node_id& id) const { return node.find(id)->state; }

    time_point now = start_of_time;
    detector node = *make_detector();
    const node_id a = make_id(2);
    const node_id b = make_id(3);
    const node_id c = make_id(4);
    const node_id d = make_id(5);
};

}  // namespace starling::membership
