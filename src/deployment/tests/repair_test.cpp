// Stages that refuse, break or hang, and what is done then.
#include "fixture.hpp"

namespace starling::deployment {
namespace {

TEST_F(candidate_test, a_lost_stage_is_replaced_at_once) {
    serve(two);
    now += settled_after;
    const auto todo = fail(a, {.kind = trouble_kind::lost});
    EXPECT_TRUE(has<withdraw_route>(todo));
    EXPECT_EQ(all<close_stages>(todo)[0].epoch, 1U);
    ASSERT_TRUE(has<make_plan>(todo));
    EXPECT_EQ(all<make_plan>(todo)[0].avoid, std::vector<node_id>{a});
    EXPECT_EQ(node.state(), candidate_state::repairing);

    const auto opened = answer(todo, {{b, {0, 8}}, {me, {8, 16}}});
    EXPECT_EQ(all<open_stages>(opened)[0].by, (claim{1, me, 2}));  // the same reign goes on
    EXPECT_TRUE(has<publish_route>(all_ready()));
}

TEST_F(candidate_test, a_lost_stage_is_used_again_where_there_is_no_plan_without_it) {
    serve(two);
    now += settled_after;
    const auto todo = fail(a, {.kind = trouble_kind::lost});
    const auto again = answer(todo, {}, "needs 16, has 8");
    ASSERT_TRUE(has<make_plan>(again));
    EXPECT_TRUE(all<make_plan>(again)[0].avoid.empty());
    EXPECT_TRUE(has<open_stages>(answer(again, two)));
}

TEST_F(candidate_test, a_member_that_is_gone_is_a_lost_stage) {
    serve(three);
    EXPECT_TRUE(node.members({lesser, a, b}, 2, now).empty());  // c has no part in it
    const auto todo = node.members({lesser, a}, 3, now);
    EXPECT_TRUE(has<withdraw_route>(todo));
    EXPECT_EQ(node.state(), candidate_state::repairing);
}

TEST_F(candidate_test, a_stage_that_breaks_again_and_again_is_tried_ever_slower) {
    serve(two);
    duration last{};
    for (int i = 0; i < 8; ++i) {
        const auto at = now;
        auto todo = fail(a, {.kind = trouble_kind::lost});
        if (!has<make_plan>(todo)) {
            todo = wait(1min);
        }
        answer(todo, two);
        last = now - at;
        all_ready();
    }
    EXPECT_GE(last, 10s);
    EXPECT_LE(last, backoff_most);
}

TEST_F(candidate_test, refused_for_memory_it_releases_everything_and_plans_anew) {
    form(three);
    node.stage_ready(b, 1, now);
    const auto todo = fail(a, {.kind = trouble_kind::memory});
    EXPECT_TRUE(has<close_stages>(todo));
    EXPECT_FALSE(has<make_plan>(todo));
    const auto again = wait(backoff_least);
    ASSERT_TRUE(has<make_plan>(again));
    EXPECT_TRUE(all<make_plan>(again)[0].avoid.empty());  // its figures may be right this time
    EXPECT_EQ(all<open_stages>(answer(again, three))[0].by.epoch, 2U);
    EXPECT_TRUE(node.stage_ready(b, 1, now).empty());
}

TEST_F(candidate_test, two_that_collided_come_back_at_different_times) {
    form(two);
    candidate other({.self = me, .want = {.model = "n"}, .seed = 8});
    other.start(now);
    const auto todo = other.tick(other.next_tick());
    other.plan_made(all<make_plan>(todo)[0].ticket, {two, {}}, now);
    now = std::max(now, other.next_tick() - load_limit);
    fail(a, {.kind = trouble_kind::memory});
    other.stage_failed(a, 1, {.kind = trouble_kind::memory}, now);
    const duration apart = node.next_tick() - other.next_tick();
    EXPECT_GT(std::max(apart, -apart), 5ms);
}

TEST_F(candidate_test, figures_that_are_never_right_starve_it) {
    auto todo = form(two);
    for (int i = 1; i < memory_refusals_to_starve; ++i) {
        fail(a, {.kind = trouble_kind::memory});
        ASSERT_NE(node.state(), candidate_state::starved);
        answer(wait(1min), two);
    }
    todo = fail(a, {.kind = trouble_kind::memory});
    EXPECT_EQ(node.state(), candidate_state::starved);
    EXPECT_FALSE(all<announce>(todo)[0].what.reason.empty());
}

TEST_F(candidate_test, whoever_has_no_file_is_not_asked_again) {
    form(two);
    fail(a, {.kind = trouble_kind::no_file});
    auto todo = answer(wait(1min), {}, "needs 16, has 8");
    EXPECT_FALSE(has<make_plan>(todo));  // avoided strictly
    EXPECT_EQ(node.state(), candidate_state::starved);
    todo = wait(starved_retry * 2);
    EXPECT_EQ(all<make_plan>(todo)[0].avoid, std::vector<node_id>{a});
    answer(todo, {}, "needs 16, has 8");
    node.members({b}, 2, now);
    node.members({a, b}, 3, now);  // it was away: perhaps with another disk
    EXPECT_TRUE(all<make_plan>(wait(starved_retry))[0].avoid.empty());
}

TEST_F(candidate_test, a_stage_that_never_answers_has_failed) {
    form(two);
    node.stage_ready(me, 1, now);
    EXPECT_TRUE(wait(load_limit - 1s).empty());
    EXPECT_TRUE(has<close_stages>(wait(2s)));
    EXPECT_EQ(all<make_plan>(wait(1min))[0].avoid, std::vector<node_id>{a});
}

TEST_F(candidate_test, that_cannot_load_its_own_part_says_so_and_lets_others_try) {
    form(two);
    const auto todo = fail(me, {.kind = trouble_kind::no_file});
    EXPECT_TRUE(has<close_stages>(todo));
    EXPECT_EQ(node.state(), candidate_state::starved);
    const auto gone = node.heard(lesser, said(lesser, 2, announced_state::forming), now);
    EXPECT_TRUE(has<withdraw>(gone));
}

// --- greater claims that are heard of from stages ---

TEST_F(candidate_test, a_lapsed_claim_is_outbid) {
    form(two);
    const auto todo = fail(a, {trouble_kind::held, claim{6, me, 3}, false});  // left by our own past life
    EXPECT_TRUE(has<close_stages>(todo));
    EXPECT_TRUE(has<withdraw>(todo));
    EXPECT_EQ(all<announce>(wait(10s))[0].what.by.term, 7U);
}

TEST_F(candidate_test, a_holder_that_is_connected_is_asked_again_and_not_outbid) {
    form(two);
    for (int i = 0; i < 5; ++i) {
        fail(a, {trouble_kind::held, claim{6, c, 3}, true});
        EXPECT_EQ(node.state(), candidate_state::waiting);
        const auto again = wait(1min);
        EXPECT_EQ(all<announce>(again)[0].what.by.term, 1U);
        answer(again, two);
    }
    fail(a, {trouble_kind::held, claim{6, c, 3}, false});
    EXPECT_EQ(all<announce>(wait(1min))[0].what.by.term, 7U);
}

TEST_F(candidate_test, that_was_revoked_waits_to_hear_by_whom) {
    serve(two);
    const auto todo = fail(a, {trouble_kind::revoked, claim{2, c, 1}, true});
    EXPECT_TRUE(has<withdraw_route>(todo));
    EXPECT_TRUE(wait(listen_first).empty());
    node.heard(c, said(c, 2, announced_state::forming), now);
    EXPECT_EQ(node.state(), candidate_state::watching);
}

// --- starving ---

TEST_F(candidate_test, starved_it_says_why_and_wakes_when_members_change) {
    node.start(now);
    const auto todo = answer(wait(5s), {}, "needs 16, has 8");
    EXPECT_EQ(all<announce>(todo)[0].what.reason, "needs 16, has 8");
    node.members({lesser, a, b, c}, 1, now);  // nothing new
    EXPECT_TRUE(wait(10s).empty());
    node.members({lesser, a, b, c}, 2, now);
    const auto again = wait(3s);
    ASSERT_TRUE(has<make_plan>(again));
    EXPECT_FALSE(has<announce>(again));  // nothing is said before there is something to say
    EXPECT_FALSE(has<announce>(answer(again, {}, "needs 16, has 8")));
}

TEST_F(candidate_test, what_served_until_just_now_is_planned_for_a_while_before_it_starves) {
    serve(two);
    auto todo = fail(a, {.kind = trouble_kind::lost});
    const time_point lost_at = now;
    while (has<make_plan>(todo) && node.state() == candidate_state::repairing) {
        ASSERT_LE(now - lost_at, mend_patience + mend_retry);
        todo = answer(todo, {}, "needs 16, has 8");
        if (has<make_plan>(todo)) {  // nobody is avoided any more
            todo = answer(todo, {}, "needs 16, has 8");
        }
        if (node.state() == candidate_state::repairing) {
            EXPECT_FALSE(has<announce>(todo));
            todo = wait(mend_retry);
        }
    }
    EXPECT_EQ(node.state(), candidate_state::starved);
    EXPECT_GE(now - lost_at, mend_patience);
}

TEST_F(candidate_test, figures_that_change_all_the_time_do_not_make_it_plan_all_the_time) {
    node.start(now);
    answer(wait(5s), {}, "needs 16, has 8");
    int plans = 0;
    for (std::uint64_t i = 2; i < 602; ++i) {
        node.members({lesser, a}, i, now);
        const auto todo = wait(100ms);
        if (has<make_plan>(todo)) {
            ++plans;
            answer(todo, {}, "needs 16, has 8");
        }
    }
    EXPECT_GT(plans, 5);
    EXPECT_LE(plans, 21);
}

TEST_F(candidate_test, one_that_watches_a_starved_one_tries_to_do_better) {
    node.start(now);
    node.heard(c, said(c, 3, announced_state::starved), now);
    const auto todo = wait(2 * trial_delay);
    ASSERT_TRUE(has<make_plan>(todo));
    EXPECT_FALSE(has<announce>(todo));
    EXPECT_FALSE(has<announce>(answer(todo, {}, "needs 16, has 8")));
    const auto claimed = answer(wait(2 * starved_retry), two);
    EXPECT_EQ(all<announce>(claimed)[0].what.by.term, 4U);
}

TEST_F(candidate_test, a_trial_is_forgotten_when_the_other_serves_after_all) {
    node.start(now);
    node.heard(c, said(c, 3, announced_state::starved), now);
    const auto todo = wait(2 * trial_delay);
    node.heard(c, said(c, 3, announced_state::serving), now);
    EXPECT_TRUE(answer(todo, two).empty());
}

TEST_F(candidate_test, is_moved_only_by_the_driver_and_seldom) {
    serve(two);
    node.members({lesser, a, b, c, make_id(9)}, 9, now);
    EXPECT_TRUE(wait(1h).empty());
    EXPECT_TRUE(has<make_plan>(node.replan_is_better(now)));
    answer(wait(plan_limit), three);
    all_ready();
    EXPECT_TRUE(node.replan_is_better(now).empty());
}

}  // namespace
}  // namespace starling::deployment
