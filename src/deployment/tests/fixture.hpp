// Dialogues with one candidate: what is said to it and what it does.
#pragma once

#include "deployment/deployment.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace starling::deployment {

inline const time_point start_of_time = time_point{} + 1000s;

inline node_id make_id(std::uint8_t name) {
    node_id id;
    id.bytes.fill(name);
    return id;
}

inline const node_id lesser = make_id(3);
inline const node_id me = make_id(5);
inline const node_id a = make_id(6);
inline const node_id b = make_id(7);
inline const node_id c = make_id(8);

template <class A>
std::vector<A> all(const actions& todo) {
    std::vector<A> found;
    for (const action& one : todo) {
        if (const auto* fits = std::get_if<A>(&one)) {
            found.push_back(*fits);
        }
    }
    return found;
}

template <class A>
bool has(const actions& todo) {
    return !all<A>(todo).empty();
}

inline announcement said(const node_id& who, term_number term, announced_state state = announced_state::serving,
                         std::vector<stage> stages = {}) {
    return {.by = {term, who, 1}, .state = state, .stages = std::move(stages)};
}

class candidate_test : public testing::Test {
  protected:
    time_point now = start_of_time;
    candidate node{{.self = me, .want = {.model = "m", .context = 4096, .slots = 4}, .seed = 7}};
    plan two{{a, {0, 8}}, {me, {8, 16}}};
    plan three{{a, {0, 4}}, {b, {4, 8}}, {me, {8, 16}}};

    candidate_test() { node.members({lesser, a, b, c}, 1, now); }

    /// Until it does something, at most that long.
    actions wait(duration most) {
        const time_point end = now + most;
        while (node.next_tick() <= end) {
            now = std::max(now, node.next_tick());
            auto todo = node.tick(now);
            if (!todo.empty()) {
                return todo;
            }
        }
        now = end;
        return {};
    }

    actions answer(const actions& todo, plan p, std::string reason = {}) {
        const auto asked = all<make_plan>(todo);
        EXPECT_EQ(asked.size(), 1U);
        return asked.empty() ? actions{} : node.plan_made(asked[0].ticket, {std::move(p), std::move(reason)}, now);
    }

    /// Has claimed, and opens the stages of `p`.
    actions form(const plan& p) {
        node.start(now);
        return answer(wait(5s), p);
    }

    actions serve(const plan& p) {
        form(p);
        return all_ready();
    }

    actions all_ready() {
        actions last;
        for (const stage& one : plan(node.stages())) {
            last = node.stage_ready(one.node, node.own_claim()->epoch, now);
        }
        return last;
    }

    actions fail(const node_id& who, trouble why) { return node.stage_failed(who, node.own_claim()->epoch, why, now); }
};

}  // namespace starling::deployment
