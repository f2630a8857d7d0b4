#include "detector_fixture.hpp"

namespace starling::membership {
namespace {

class probing : public detector_test {
  protected:
    /// Until somebody is pinged: its message.
    std::pair<node_id, ping> next_ping() {
        for (;;) {
            now = std::max(now + 1ms, node.next_tick());
            const auto pings = sent<ping>(node.tick(now));
            if (!pings.empty()) {
                return pings.front();
            }
        }
    }
};

TEST_F(probing, a_ping_is_answered_with_its_sequence) {
    meet(a);
    const auto acks = sent<ack>(hear(a, ping{77, {}}));
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_EQ(acks[0].first, a);
    EXPECT_EQ(acks[0].second.sequence, 77U);
}

TEST_F(probing, silence_is_answered_by_a_second_ping_and_by_helpers) {
    for (const auto& id : {a, b, c}) {
        meet(id);
    }
    const auto [target, first] = next_ping();
    EXPECT_TRUE(sent<ping_req>(node.tick(now + ping_again_after - 1ms)).empty());
    now += ping_again_after;
    const auto todo = node.tick(now);
    const auto again = sent<ping>(todo);
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again[0].first, target);
    EXPECT_EQ(again[0].second.sequence, first.sequence);
    const auto asked = sent<ping_req>(todo);
    EXPECT_EQ(asked.size(), 2U);  // the two others: never the target itself
    for (const auto& [helper, request] : asked) {
        EXPECT_NE(helper, target);
        EXPECT_EQ(request.target, target);
    }
}

TEST_F(probing, an_answer_through_a_helper_counts) {
    for (const auto& id : {a, b}) {
        meet(id);
    }
    const auto [target, first] = next_ping();
    now += ping_again_after;
    node.tick(now);
    hear(target == a ? b : a, ack{first.sequence, {}});
    pass(5s);
    EXPECT_EQ(state_of(target), member_state::alive);
}

TEST_F(probing, an_answer_from_anybody_else_does_not_count) {
    meet(a);
    const auto [target, first] = next_ping();
    meet(b);  // was never asked
    hear(b, ack{first.sequence, {}});
    hear(a, ack{first.sequence + 1, {}});
    pass(1100ms, {a});
    EXPECT_EQ(state_of(a), member_state::suspect);
}

TEST_F(probing, one_strike_makes_a_suspect_and_the_second_ends_it) {
    for (const auto& id : {a, b, c, d}) {
        meet(id);
    }
    std::vector<member_changed> seen;
    for (int i = 0; i < 100 && state_of(a) == member_state::alive; ++i) {
        pass(100ms, {a});
    }
    ASSERT_EQ(state_of(a), member_state::suspect);
    const auto suspected = now;
    for (int i = 0; i < 100 && state_of(a) != member_state::dead; ++i) {
        pass(100ms, {a});
    }
    ASSERT_EQ(state_of(a), member_state::dead);
    EXPECT_GE(now - suspected, least_patience(5) - 100ms);
    EXPECT_LT(now - suspected, 2 * least_patience(5));  // alone and without a second strike it would take 3 times
    EXPECT_EQ(state_of(b), member_state::alive);
}

TEST_F(probing, a_suspect_is_probed_again_before_its_turn) {
    for (std::uint8_t i = 2; i < 50; ++i) {
        meet(make_id(i));
    }
    while (state_of(a) == member_state::alive) {
        pass(50ms, {a});
    }
    const auto pings = sent<ping>(pass(probe_period + 10ms, {a}));
    EXPECT_TRUE(std::any_of(pings.begin(), pings.end(), [&](const auto& p) { return p.first == a; }));
}

TEST_F(probing, a_suspicion_is_told_to_the_mesh_and_to_the_suspect) {
    for (const auto& id : {a, b, c}) {
        meet(id);
    }
    pass(10s);  // nothing is news any more
    const auto todo = pass(4s, {a});
    bool told_mesh = false;
    bool told_suspect = false;
    for (const auto& [to, m] : sent<gossip>(todo)) {
        for (const accusation& claim : m.news.accusations) {
            EXPECT_EQ(claim.subject, a);
            EXPECT_EQ(claim.incarnation, 5U);
            EXPECT_EQ(claim.accuser, me);
            (to == a ? told_suspect : told_mesh) = true;
        }
    }
    EXPECT_TRUE(told_mesh);
    EXPECT_TRUE(told_suspect);
}

TEST_F(probing, a_suspect_is_told_at_once) {
    for (std::uint8_t i = 2; i < 50; ++i) {
        meet(make_id(i));
    }
    pass(30s);
    actions todo;
    while (state_of(a) == member_state::alive) {
        todo = pass(5ms, {a});
    }
    const auto told = sent<gossip>(todo);
    EXPECT_TRUE(std::any_of(told.begin(), told.end(), [&](const auto& g) {
        return g.first == a && g.second.news.accusations.at(0) == accusation{a, 5, claim::suspect, me};
    }));
}

TEST_F(probing, in_one_round_everybody_is_probed_once) {
    for (std::uint8_t i = 2; i < 22; ++i) {
        meet(make_id(i));
    }
    pass(10s);  // newcomers are put into the round in progress: let it end
    std::vector<int> count(256, 0);
    for (const auto& [to, m] : sent<ping>(pass(20 * probe_period))) {
        ++count[to.bytes[0]];
    }
    for (std::uint8_t i = 2; i < 22; ++i) {
        EXPECT_GE(count[i], 0);
        EXPECT_LE(count[i], 2) << int(i);  // the window spans two rounds
    }
}

TEST_F(probing, a_helper_pings_and_tells_the_answer) {
    meet(a);
    meet(b);
    const auto pings = sent<ping>(hear(a, ping_req{9, b, {}}));
    ASSERT_EQ(pings.size(), 1U);
    EXPECT_EQ(pings[0].first, b);
    const auto acks = sent<ack>(hear(b, ack{pings[0].second.sequence, {}}));
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_EQ(acks[0].first, a);
    EXPECT_EQ(acks[0].second.sequence, 9U);
}

TEST_F(probing, a_helper_says_no_in_time) {
    meet(a);
    meet(b);
    hear(a, ping_req{9, b, {}});
    const auto refusals = sent<nack>(pass(relay_wait + 10ms, {b}));
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].first, a);
    EXPECT_EQ(refusals[0].second.sequence, 9U);
}

TEST_F(probing, a_helper_that_does_not_know_the_target_says_no_at_once) {
    meet(a);
    EXPECT_EQ(sent<nack>(hear(a, ping_req{9, make_id(99), {}})).size(), 1U);
}

TEST_F(probing, relays_are_limited) {
    meet(a);
    meet(b);
    std::size_t accepted = 0;
    for (std::uint64_t i = 0; i < 3 * max_relays_in_flight; ++i) {
        accepted += sent<nack>(hear(a, ping_req{i, b, {}})).empty() ? 1 : 0;
    }
    EXPECT_EQ(accepted, max_relays_in_flight);
}

TEST_F(probing, silence_of_helpers_too_lowers_our_own_health) {
    for (const auto& id : {a, b, c, d}) {
        meet(id);
    }
    pass(3s, {a, b, c, d});
    EXPECT_GT(node.local_health(), 0);
    EXPECT_LE(node.local_health(), max_local_health);
    for (const auto& id : {a, b, c, d}) {
        meet(id, 6);
    }
    pass(20s);
    EXPECT_EQ(node.local_health(), 0);
}

TEST_F(probing, helpers_that_say_no_prove_that_we_are_well) {
    for (const auto& id : {a, b, c, d}) {
        meet(id);
    }
    pass(10s, {a});
    EXPECT_EQ(state_of(a), member_state::dead);
    EXPECT_EQ(node.local_health(), 0);
}

TEST_F(probing, a_broken_connection_is_looked_at_at_once) {
    meet(a);
    meet(b);
    const auto pings = sent<ping>(node.look_at(b, now));
    ASSERT_EQ(pings.size(), 1U);
    EXPECT_EQ(pings[0].first, b);
    EXPECT_TRUE(sent<ping>(node.look_at(b, now)).empty());  // it is already
    EXPECT_TRUE(node.look_at(make_id(99), now).empty());
    EXPECT_TRUE(node.look_at(me, now).empty());
}

TEST_F(probing, the_dead_are_greeted_and_told) {
    meet(a);
    pass(10s, {a});
    ASSERT_EQ(state_of(a), member_state::dead);
    const auto pings = sent<ping>(pass(10s, {a}));
    ASSERT_FALSE(pings.empty());
    EXPECT_LE(pings.size(), 21U);
    ASSERT_EQ(pings[0].second.news.accusations.size(), 1U);
    EXPECT_EQ(pings[0].second.news.accusations[0], (accusation{a, 5, claim::dead, me}));
}

TEST_F(probing, one_that_slept_blames_nobody) {
    meet(a);
    meet(b);
    accused(a, 5, b);
    ASSERT_EQ(state_of(a), member_state::suspect);
    now += 1h;
    node.tick(now);
    EXPECT_EQ(state_of(a), member_state::suspect);  // its time starts again
    EXPECT_EQ(state_of(b), member_state::alive);
}

TEST_F(probing, a_clock_that_goes_backwards_does_no_harm) {
    meet(a);
    node.tick(now + 10s);
    node.tick(now - 100s);
    EXPECT_GT(node.next_tick(), now);
}

}  // namespace
}  // namespace starling::membership
