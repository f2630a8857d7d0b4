#include "detector_fixture.hpp"

#include <limits>

namespace starling::membership {
namespace {

class accusations : public detector_test {
  protected:
    void SetUp() override {
        for (const auto& id : {a, b, c, d}) {
            meet(id, 5);
        }
    }
};

TEST_F(accusations, an_accused_node_refutes_in_its_answer) {
    pass(1s);
    const auto todo = hear(a, ping{1, {.accusations = {{me, 10, claim::suspect, a}}}});
    EXPECT_EQ(node.own().incarnation, 11U);
    const auto acks = sent<ack>(todo);
    ASSERT_EQ(acks.size(), 1U);
    ASSERT_FALSE(acks[0].second.news.records.empty());
    EXPECT_EQ(*acks[0].second.news.records[0], node.own());
    EXPECT_FALSE(sent<gossip>(todo).empty());  // and at once to others
}

TEST_F(accusations, one_that_has_not_heard_the_refutation_is_shown_it) {
    const auto acks = sent<ack>(hear(a, ping{1, {.accusations = {{me, 3, claim::dead, a}}}}));
    EXPECT_EQ(node.own().incarnation, 10U);
    ASSERT_EQ(acks.size(), 1U);
    ASSERT_FALSE(acks[0].second.news.records.empty());
    EXPECT_EQ(acks[0].second.news.records[0]->id, me);
    const auto answer = sent<gossip>(accused(me, 3, b));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].first, b);
    EXPECT_EQ(answer[0].second.news.records.at(0)->id, me);
}

TEST_F(accusations, an_absurd_incarnation_wedges_nothing) {
    for (const auto n : {incarnation_number{11}, max_incarnation, std::numeric_limits<std::uint64_t>::max()}) {
        const auto todo = accused(me, n, a, claim::dead);
        EXPECT_EQ(node.own().incarnation, 10U);
        accused(b, n, a, claim::dead);
        EXPECT_EQ(state_of(b), member_state::alive);
    }
    pass(1s);
    accused(me, 10, a);
    EXPECT_EQ(node.own().incarnation, 11U);
}

TEST_F(accusations, who_accuses_us_ahead_of_our_record_is_asked_for_it) {
    pass(1s);
    const auto asked = sent<sync_request>(accused(me, 900, a));
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].first, a);
    EXPECT_TRUE(sent<sync_request>(accused(me, 900, a)).empty());  // not for each accusation
}

TEST_F(accusations, a_liar_cannot_keep_us_signing) {
    for (int i = 0; i < 1000; ++i) {
        accused(me, node.own().incarnation, a);
        now += 1ms;
        node.tick(now);
    }
    EXPECT_LE(node.own().incarnation, 10U + 1 + 1s / raise_pace);
    EXPECT_GE(node.own().incarnation, 10U + 1s / raise_pace - 1);
}

TEST_F(accusations, only_the_incarnation_that_we_hold_can_be_accused) {
    accused(a, 4, b);
    accused(a, 6, b);
    EXPECT_EQ(state_of(a), member_state::alive);
    accused(a, 5, b);
    EXPECT_EQ(state_of(a), member_state::suspect);
}

TEST_F(accusations, strangers_and_the_dead_accuse_nobody_nor_are_they_accused) {
    accused(a, 5, make_id(77));
    accused(a, 5, me);
    accused(a, 5, a);
    EXPECT_EQ(state_of(a), member_state::alive);
    accused(make_id(77), 5, a);
    EXPECT_FALSE(node.find(make_id(77)).has_value());
}

TEST_F(accusations, a_claim_of_death_is_only_a_suspicion_here) {
    const auto seen = changes(accused(a, 5, b, claim::dead), a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].before, member_state::alive);
    EXPECT_EQ(seen[0].after, member_state::suspect);
}

TEST_F(accusations, a_refutation_clears_the_suspect) {
    accused(a, 5, b);
    const auto seen = changes(meet(a, 6), a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].before, member_state::suspect);
    EXPECT_EQ(seen[0].after, member_state::alive);
    accused(a, 5, c);
    pass(30s);
    EXPECT_EQ(state_of(a), member_state::alive);
}

TEST_F(accusations, the_more_accusers_the_shorter_the_patience) {
    const auto time_to_die = [&](std::vector<node_id> accusers, claim kind) {
        detector fresh = *make_detector();
        std::swap(node, fresh);
        SetUp();
        for (const node_id& accuser : accusers) {
            accused(a, 5, accuser, kind);
        }
        const auto from = now;
        while (state_of(a) != member_state::dead) {
            pass(50ms);  // our own probes are answered: only what others say counts
        }
        return now - from;
    };
    const auto one = time_to_die({b}, claim::suspect);
    const auto two = time_to_die({b, c}, claim::suspect);
    const auto three = time_to_die({b, c, d}, claim::suspect);
    const auto concluded = time_to_die({b}, claim::dead);
    EXPECT_GT(one, two);
    EXPECT_GT(two, three);
    EXPECT_GE(concluded, least_patience(5));
    EXPECT_LE(concluded, least_patience(5) + 100ms);
    EXPECT_GE(one, patience_stretch * least_patience(5));
}

TEST_F(accusations, the_same_accuser_twice_is_one) {
    accused(a, 5, b);
    for (int i = 0; i < 20; ++i) {
        accused(a, 5, b);
    }
    pass(2 * least_patience(5));
    EXPECT_EQ(state_of(a), member_state::suspect);
}

TEST_F(accusations, they_are_passed_on_with_the_accuser) {
    pass(10s);
    accused(a, 5, b);
    bool told = false;
    for (const auto& [to, m] : sent<gossip>(pass(300ms))) {
        for (const accusation& claim : m.news.accusations) {
            told = told || (to != a && claim == accusation{a, 5, claim::suspect, b});
        }
    }
    EXPECT_TRUE(told);
}

TEST_F(accusations, one_held_for_dead_that_speaks_is_told) {
    pass(20s, {a});
    ASSERT_EQ(state_of(a), member_state::dead);
    const auto answer = sent<gossip>(hear(a, gossip{}));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].first, a);
    EXPECT_EQ(answer[0].second.news.accusations.at(0), (accusation{a, 5, claim::dead, me}));
    EXPECT_TRUE(sent<gossip>(hear(a, gossip{})).empty());  // not each time
    const auto acks = sent<ack>(hear(a, ping{1, {}}));
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_EQ(acks[0].second.news.accusations.at(0), (accusation{a, 5, claim::dead, me}));
}

TEST_F(accusations, an_unknown_sender_is_asked_who_it_is) {
    pass(1s);
    const auto todo = hear(make_id(60), ping{3, {}});
    EXPECT_EQ(sent<ack>(todo).size(), 1U);
    ASSERT_EQ(sent<sync_request>(todo).size(), 1U);
    EXPECT_EQ(sent<sync_request>(todo)[0].first, make_id(60));
    EXPECT_EQ(*sent<sync_request>(todo)[0].second.sender, node.own());
}

TEST_F(accusations, our_own_echo_is_ignored) {
    EXPECT_TRUE(hear(me, ping{1, {}}).empty());
}

}  // namespace
}  // namespace starling::membership
