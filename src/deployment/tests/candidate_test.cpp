#include "fixture.hpp"

namespace starling::deployment {
namespace {

// --- alone ---

TEST_F(candidate_test, listens_then_claims_plans_opens_and_publishes) {
    EXPECT_FALSE(has<make_plan>(node.start(now)));
    const auto claimed = wait(2s);
    EXPECT_GE(now - start_of_time, listen_first);
    ASSERT_EQ(all<announce>(claimed).size(), 1U);
    EXPECT_EQ(all<announce>(claimed)[0].what.by, (claim{1, me, 0}));

    const auto opened = answer(claimed, three);
    ASSERT_EQ(all<open_stages>(opened).size(), 1U);
    EXPECT_EQ(all<open_stages>(opened)[0].stages, (std::vector<stage>{three[0], three[1]}));
    EXPECT_EQ(all<load_last>(opened)[0].layers, three[2].layers);

    EXPECT_TRUE(node.stage_ready(me, 1, now).empty());
    EXPECT_TRUE(node.stage_ready(b, 1, now).empty());
    EXPECT_TRUE(node.stage_ready(b, 1, now).empty());  // twice is once
    const auto done = node.stage_ready(a, 1, now);
    ASSERT_EQ(all<publish_route>(done).size(), 1U);
    EXPECT_EQ(all<publish_route>(done)[0].stages, three);
    EXPECT_EQ(all<announce>(done)[0].what.state, announced_state::serving);
    EXPECT_EQ(node.state(), candidate_state::serving);
}

TEST_F(candidate_test, listens_no_longer_than_until_everybody_was_heard) {
    node.start(now);
    now += 20ms;
    node.everybody_heard(now);
    const auto claimed = wait(heard_spread);
    ASSERT_TRUE(has<make_plan>(claimed));
    // Others may still come: for as long as it would have listened, it plans again instead of giving up.
    auto todo = claimed;
    while (node.state() == candidate_state::forming) {
        answer(todo, {}, "needs 16, has 8");
        todo = node.state() == candidate_state::forming ? wait(mend_retry) : actions{};
    }
    EXPECT_GE(now - start_of_time, listen_first);
    EXPECT_LE(now - start_of_time, listen_first + start_spread + mend_retry);
    EXPECT_EQ(node.state(), candidate_state::starved);
}

TEST_F(candidate_test, waits_its_time_for_other_reasons_than_listening) {
    serve(two);
    fail(a, {trouble_kind::held, claim{9, c, 3}, true});
    ASSERT_EQ(node.state(), candidate_state::waiting);
    const auto at = node.next_tick();
    node.everybody_heard(now);
    EXPECT_EQ(node.next_tick(), at);
}

TEST_F(candidate_test, answers_of_another_epoch_or_node_do_not_count) {
    form(two);
    EXPECT_TRUE(node.stage_ready(me, 1, now).empty());
    EXPECT_TRUE(node.stage_ready(a, 2, now).empty());
    EXPECT_TRUE(node.stage_ready(a, 0, now).empty());
    EXPECT_TRUE(node.stage_ready(b, 1, now).empty());
    EXPECT_TRUE(node.stage_failed(a, 0, {.kind = trouble_kind::lost}, now).empty());
    EXPECT_TRUE(node.stage_failed(b, 1, {.kind = trouble_kind::lost}, now).empty());
    EXPECT_EQ(node.state(), candidate_state::forming);
}

TEST_F(candidate_test, a_plan_that_is_none_is_not_opened) {
    node.start(now);
    auto todo = wait(5s);
    EXPECT_TRUE(node.plan_made(all<make_plan>(todo)[0].ticket + 1, {two, {}}, now).empty());
    for (const plan& wrong : {plan{{me, {8, 16}}, {a, {0, 8}}}, plan{{a, {0, 8}}, {me, {9, 16}}},
                              plan{{a, {0, 4}}, {a, {4, 8}}, {me, {8, 16}}}, plan{{a, {0, 8}}, {me, {8, 8}}}}) {
        EXPECT_FALSE(has<open_stages>(answer(todo, wrong)));
        EXPECT_EQ(node.state(), candidate_state::starved);
        todo = wait(2min);
    }
}

TEST_F(candidate_test, a_planner_that_says_nothing_is_asked_again) {
    node.start(now);
    const auto first = wait(5s);
    const auto again = wait(plan_limit);
    ASSERT_TRUE(has<make_plan>(again));
    EXPECT_TRUE(node.plan_made(all<make_plan>(first)[0].ticket, {two, {}}, now).empty());
    EXPECT_TRUE(has<open_stages>(answer(again, two)));
}

// --- rivals ---

TEST_F(candidate_test, watches_whoever_was_earlier) {
    node.heard(a, said(a, 4), now);
    node.start(now);
    EXPECT_EQ(node.state(), candidate_state::watching);
    EXPECT_TRUE(wait(1h).empty());
    node.claim_gone(a, parting::dead, now);
    const auto claimed = wait(10s);
    ASSERT_TRUE(has<announce>(claimed));
    EXPECT_EQ(all<announce>(claimed)[0].what.by.term, 5U);
}

TEST_F(candidate_test, of_the_same_term_the_greater_id_wins_and_the_loser_releases_everything) {
    form(two);
    EXPECT_TRUE(node.heard(lesser, said(lesser, 1, announced_state::forming), now).empty());
    EXPECT_EQ(node.state(), candidate_state::forming);
    const auto todo = node.heard(b, said(b, 1, announced_state::forming), now);
    EXPECT_EQ(all<close_stages>(todo).size(), 1U);
    EXPECT_TRUE(has<withdraw>(todo));
    EXPECT_FALSE(has<stand_down>(todo));  // there was no route
    EXPECT_EQ(node.state(), candidate_state::watching);
    EXPECT_TRUE(node.stage_ready(a, 1, now).empty());
}

TEST_F(candidate_test, that_serves_stands_down_in_order_for_a_greater_one) {
    serve(two);
    const auto todo = node.heard(lesser, said(lesser, 9), now);
    ASSERT_EQ(todo.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<withdraw_route>(todo[0]));
    EXPECT_TRUE(std::holds_alternative<close_stages>(todo[1]));
    EXPECT_EQ(std::get<stand_down>(todo[2]).to, (claim{9, lesser, 1}));
    EXPECT_TRUE(std::holds_alternative<withdraw>(todo[3]));
}

TEST_F(candidate_test, that_serves_is_not_disturbed_by_one_that_starves) {
    serve(two);
    EXPECT_TRUE(node.heard(c, said(c, 9, announced_state::starved), now).empty());
    EXPECT_EQ(node.state(), candidate_state::serving);
}

TEST_F(candidate_test, that_starves_gives_way_to_anyone_who_serves) {
    node.heard(c, said(c, 9, announced_state::serving), now);
    node.claim_gone(c, parting::dead, now);
    node.start(now);
    answer(wait(10s), {}, "needs 24, has 20");
    ASSERT_EQ(node.own_claim()->term, 10U);
    EXPECT_TRUE(node.heard(lesser, said(lesser, 2, announced_state::forming), now).empty());
    EXPECT_TRUE(has<withdraw>(node.heard(lesser, said(lesser, 2), now)));
    EXPECT_EQ(node.state(), candidate_state::watching);
}

TEST_F(candidate_test, hears_everybody_only_about_themselves) {
    serve(two);
    EXPECT_TRUE(node.heard(b, said(c, 9), now).empty());
    EXPECT_TRUE(node.heard(me, said(me, 9), now).empty());
    EXPECT_EQ(node.state(), candidate_state::serving);
}

TEST_F(candidate_test, an_absurd_term_moves_nobody) {
    serve(two);
    for (int i = 0; i < 100; ++i) {
        now += 100ms;
        EXPECT_TRUE(node.heard(c, said(c, ~term_number{0}), now).empty());
    }
    EXPECT_EQ(node.state(), candidate_state::serving);
    fail(a, {.kind = trouble_kind::lost});
    fail(a, {trouble_kind::held, claim{1, c, 3}, false});  // and our own terms stay small
    answer(wait(1min), two);
    EXPECT_EQ(node.own_claim()->term, 1U);
}

TEST_F(candidate_test, believes_a_mesh_that_is_far_ahead_after_some_seconds) {
    serve(two);
    EXPECT_TRUE(node.heard(c, said(c, 4 * max_term_leap), now).empty());  // and is not told again
    EXPECT_TRUE(has<stand_down>(wait(5 * term_leap_pace)));
    EXPECT_EQ(node.state(), candidate_state::watching);
}

TEST_F(candidate_test, a_thousand_rivals_do_not_fill_its_memory) {
    node.start(now);
    for (int i = 0; i < 1000; ++i) {
        auto id = make_id(9);
        id.bytes[0] = static_cast<std::uint8_t>(i);
        id.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        node.heard(id, said(id, 1 + static_cast<term_number>(i)), now);
    }
    EXPECT_EQ(node.watched()->by.term, 1000U);
}

// --- succession ---

TEST_F(candidate_test, heirs_claim_in_the_order_of_the_layers) {
    const plan of_c{{a, {0, 4}}, {b, {4, 8}}, {me, {8, 12}}, {c, {12, 16}}};
    node.inherit(now);
    node.heard(c, said(c, 3, announced_state::serving, of_c), now);
    node.members({a, b, lesser}, 2, now);
    node.claim_gone(c, parting::dead, now);
    EXPECT_TRUE(wait(2 * successor_stagger - 1ms).empty());  // a and b are before
    EXPECT_TRUE(has<make_plan>(wait(successor_jitter + 1ms)));
    EXPECT_EQ(node.own_claim()->term, 4U);
}

TEST_F(candidate_test, an_heir_whose_predecessor_claims_watches) {
    node.inherit(now);
    node.heard(c, said(c, 3, announced_state::serving, {{a, {0, 4}}, {me, {4, 8}}, {c, {8, 16}}}), now);
    node.claim_gone(c, parting::dead, now);
    now += 500ms;
    node.heard(a, said(a, 4, announced_state::forming), now);
    EXPECT_TRUE(wait(1h).empty());
    node.claim_gone(a, parting::dead, now);
    EXPECT_TRUE(has<make_plan>(wait(10s)));
}

TEST_F(candidate_test, whoever_has_no_part_in_it_leaves_it_alone) {
    node.heard(c, said(c, 3), now);
    node.claim_gone(c, parting::dead, now);
    EXPECT_EQ(node.state(), candidate_state::idle);
    EXPECT_TRUE(wait(1h).empty());

    node.inherit(now);
    node.heard(c, said(c, 3, announced_state::serving, {{a, {0, 8}}, {c, {8, 16}}}), now);
    EXPECT_FALSE(node.may_claim());  // it goes on without this node
}

TEST_F(candidate_test, one_that_withdrew_is_replaced_later_than_one_that_died) {
    node.start(now);
    node.heard(c, said(c, 3), now);
    node.claim_gone(c, parting::withdrawn, now);
    EXPECT_TRUE(wait(withdrawn_listen - 1ms).empty());
    EXPECT_TRUE(has<make_plan>(wait(5s)));
}

TEST_F(candidate_test, one_that_retires_has_no_heirs) {
    node.inherit(now);
    node.heard(c, said(c, 3, announced_state::serving, {{me, {0, 8}}, {c, {8, 16}}}), now);
    node.heard(c, said(c, 3, announced_state::retired), now);
    node.claim_gone(c, parting::withdrawn, now);
    EXPECT_TRUE(wait(1h).empty());
}

// --- leaving ---

TEST_F(candidate_test, hands_over_while_it_serves) {
    serve(two);
    const auto goodbye = node.stop(farewell::hand_over, now);
    ASSERT_EQ(goodbye.size(), 1U);
    EXPECT_EQ(all<announce>(goodbye)[0].what.state, announced_state::leaving);
    const auto done = node.heard(lesser, said(lesser, 2, announced_state::forming), now);
    EXPECT_TRUE(has<withdraw_route>(done));
    EXPECT_TRUE(has<stand_down>(done));
    EXPECT_TRUE(has<withdraw>(done));
    EXPECT_EQ(node.state(), candidate_state::stopped);
}

TEST_F(candidate_test, does_not_wait_for_a_successor_for_ever) {
    serve(two);
    node.stop(farewell::hand_over, now);
    const auto done = wait(hand_over_wait);
    EXPECT_TRUE(has<withdraw_route>(done));
    EXPECT_TRUE(has<close_stages>(done));
    EXPECT_EQ(all<withdraw>(done).size(), 1U);
    EXPECT_EQ(node.state(), candidate_state::stopped);
    EXPECT_TRUE(node.heard(c, said(c, 7), now).empty());
}

TEST_F(candidate_test, alone_it_stops_at_once) {
    serve({{me, {0, 16}}});
    node.members({me}, 2, now);
    EXPECT_TRUE(has<withdraw_route>(node.stop(farewell::hand_over, now)));
    EXPECT_EQ(node.state(), candidate_state::stopped);
}

TEST_F(candidate_test, an_heir_takes_over_at_once_and_without_the_one_that_leaves) {
    node.inherit(now);
    const plan of_c{{me, {0, 8}}, {c, {8, 16}}};
    node.heard(c, said(c, 3, announced_state::serving, of_c), now);
    node.heard(c, said(c, 3, announced_state::leaving, of_c), now);
    const auto todo = wait(successor_jitter);
    ASSERT_TRUE(has<make_plan>(todo));
    EXPECT_EQ(all<make_plan>(todo)[0].avoid, std::vector<node_id>{c});
}

TEST_F(candidate_test, retires_and_says_so) {
    serve(two);
    const auto todo = node.stop(farewell::retire, now);
    EXPECT_TRUE(has<withdraw_route>(todo));
    EXPECT_TRUE(has<close_stages>(todo));
    EXPECT_EQ(all<announce>(todo)[0].what.state, announced_state::retired);
    EXPECT_TRUE(has<withdraw>(wait(farewell_time)));
    EXPECT_EQ(node.state(), candidate_state::stopped);
}

}  // namespace
}  // namespace starling::deployment
