#include "deployment/stage_lease.hpp"

#include "deployment/term_clock.hpp"

#include <gtest/gtest.h>

namespace starling::deployment {
namespace {

using namespace lease;

node_id make_id(std::uint8_t name) {
    node_id id;
    id.bytes.fill(name);
    return id;
}

class stage_lease_test : public testing::Test {
  protected:
    static constexpr stream_number first = 1;
    static constexpr stream_number second = 2;
    time_point now = time_point{} + 1000s;
    stage_lease stage;
    assignment front{{0, 8}, 4096, 4};
    assignment back{{8, 16}, 4096, 4};
    node_id a = make_id(1);
    node_id b = make_id(2);

    template <class A>
    static const A* find(const lease::actions& todo) {
        for (const auto& one : todo) {
            if (const auto* fits = std::get_if<A>(&one)) {
                return fits;
            }
        }
        return nullptr;
    }

    /// Loaded for (3, a, 1) on the first stream.
    void hold() {
        const auto todo = stage.open(first, {3, a, 1}, front, now);
        stage.loaded(find<load>(todo)->ticket, now);
    }

    trouble refusal(const claim& by) {
        const auto todo = stage.open(second, by, front, now);
        const auto* away = find<turn_away>(todo);
        EXPECT_EQ(todo.size(), 1U);
        EXPECT_TRUE(away != nullptr && away->stream == second);
        return away == nullptr ? trouble{} : away->why;
    }
};

TEST_F(stage_lease_test, loads_and_says_so) {
    const auto todo = stage.open(first, {3, a, 1}, front, now);
    ASSERT_NE(find<load>(todo), nullptr);
    EXPECT_EQ(find<load>(todo)->what, front);
    EXPECT_EQ(find<say_ready>(todo), nullptr);
    const auto done = stage.loaded(find<load>(todo)->ticket, now);
    ASSERT_NE(find<say_ready>(done), nullptr);
    EXPECT_EQ(find<say_ready>(done)->stream, first);
    EXPECT_TRUE(stage.loaded(find<load>(todo)->ticket, now).empty());
}

TEST_F(stage_lease_test, refuses_the_smaller_and_names_the_holder) {
    hold();
    EXPECT_EQ(refusal({2, b, 9}), (trouble{trouble_kind::held, claim{3, a, 1}, true}));
    EXPECT_EQ(refusal({3, make_id(0), 9}), (trouble{trouble_kind::held, claim{3, a, 1}, true}));
    EXPECT_EQ(refusal({3, a, 1}).kind, trouble_kind::superseded);
    EXPECT_EQ(refusal({3, a, 0}).kind, trouble_kind::superseded);
}

TEST_F(stage_lease_test, the_greater_takes_it_and_the_smaller_is_told) {
    hold();
    const auto todo = stage.open(second, {3, b, 1}, front, now);
    ASSERT_EQ(todo.size(), 3U);
    const auto& away = std::get<turn_away>(todo[0]);
    EXPECT_EQ(away.stream, first);
    EXPECT_EQ(away.why, (trouble{trouble_kind::revoked, claim{3, b, 1}, true}));
    EXPECT_TRUE(std::holds_alternative<adopt>(todo[1]));  // the layers are the same
    EXPECT_EQ(std::get<say_ready>(todo[2]).stream, second);
    EXPECT_TRUE(stage.stream_ended(first, now).empty());
    EXPECT_TRUE(stage.connected());
}

TEST_F(stage_lease_test, a_later_epoch_replaces_the_earlier) {
    hold();
    const auto todo = stage.open(second, {3, a, 2}, back, now);
    EXPECT_EQ(find<turn_away>(todo)->why.kind, trouble_kind::superseded);
    EXPECT_NE(find<unload>(todo), nullptr);
    EXPECT_EQ(find<load>(todo)->what, back);
    EXPECT_EQ(find<say_ready>(todo), nullptr);
}

TEST_F(stage_lease_test, a_load_for_somebody_else_is_not_taken_for_ours) {
    const auto old = stage.open(first, {3, a, 1}, front, now);
    const auto todo = stage.open(second, {4, b, 1}, back, now);
    EXPECT_TRUE(stage.loaded(find<load>(old)->ticket, now).empty());
    EXPECT_TRUE(stage.load_failed(find<load>(old)->ticket, trouble_kind::memory, now).empty());
    EXPECT_EQ(find<say_ready>(stage.loaded(find<load>(todo)->ticket, now))->stream, second);
}

TEST_F(stage_lease_test, a_load_under_way_is_taken_over) {
    const auto old = stage.open(first, {3, a, 1}, front, now);
    EXPECT_EQ(find<load>(stage.open(second, {4, b, 1}, front, now)), nullptr);
    const auto done = stage.loaded(find<load>(old)->ticket, now);
    EXPECT_EQ(find<say_ready>(done)->by, (claim{4, b, 1}));
}

TEST_F(stage_lease_test, a_lapsed_claim_keeps_its_layers_for_a_while) {
    hold();
    stage.stream_ended(first, now);
    EXPECT_EQ(refusal({2, b, 1}), (trouble{trouble_kind::held, claim{3, a, 1}, false}));
    now += lease_time - 1ms;
    EXPECT_TRUE(stage.tick(now).empty());
    EXPECT_NE(find<say_ready>(stage.open(second, {4, b, 1}, front, now)), nullptr);
    stage.stream_ended(second, now);
    now = stage.next_tick();
    EXPECT_NE(find<unload>(stage.tick(now)), nullptr);
    EXPECT_TRUE(stage.empty());
    EXPECT_NE(find<load>(stage.open(first, {1, a, 1}, front, now)), nullptr);
}

TEST_F(stage_lease_test, gives_way_to_another_model_only_when_nobody_is_connected) {
    hold();
    EXPECT_TRUE(stage.evict(now).empty());
    stage.stream_ended(first, now);
    EXPECT_NE(find<unload>(stage.evict(now)), nullptr);
    EXPECT_TRUE(stage.empty());
}

TEST_F(stage_lease_test, a_load_that_fails_leaves_nothing) {
    const auto todo = stage.open(first, {3, a, 1}, front, now);
    const auto failed = stage.load_failed(find<load>(todo)->ticket, trouble_kind::memory, now);
    EXPECT_EQ(find<turn_away>(failed)->why.kind, trouble_kind::memory);
    EXPECT_TRUE(stage.empty());
}

TEST_F(stage_lease_test, that_leaves_refuses_everybody) {
    hold();
    const auto todo = stage.leave(now);
    EXPECT_EQ(find<turn_away>(todo)->why.kind, trouble_kind::leaving);
    EXPECT_NE(find<unload>(todo), nullptr);
    EXPECT_EQ(refusal({9, b, 1}).kind, trouble_kind::leaving);
}

TEST_F(stage_lease_test, an_absurd_term_gets_nothing) {
    hold();
    EXPECT_EQ(refusal({~term_number{0}, b, 1}), (trouble{trouble_kind::held, claim{3, a, 1}, true}));
    EXPECT_TRUE(stage.connected());
    EXPECT_NE(find<adopt>(stage.open(second, {4, b, 1}, front, now)), nullptr);
}

TEST_F(stage_lease_test, an_absurd_term_that_came_first_is_forgotten_with_its_owner) {
    stage.open(first, {~term_number{0}, b, 1}, front, now);
    stage.stream_ended(first, now);
    EXPECT_EQ(refusal({4, a, 1}).kind, trouble_kind::held);
    now += lease_time;
    EXPECT_NE(find<load>(stage.open(second, {4, a, 1}, front, now)), nullptr);
}

TEST(term_clock, what_is_beyond_the_horizon_leaves_our_own_terms_alone) {
    term_clock terms;
    auto now = time_point{} + 1000s;
    EXPECT_TRUE(terms.hear(7, now));
    for (int i = 0; i < 3600; ++i) {
        now += term_leap_pace;
        EXPECT_FALSE(terms.hear(~term_number{0}, now));
    }
    EXPECT_EQ(terms.next(), term_number{8});
}

TEST(term_clock, a_fresh_node_catches_up_within_seconds) {
    term_clock terms;
    auto now = time_point{} + 1000s;
    const term_number mesh = 5 * max_term_leap;
    int seconds = 0;
    while (!terms.hear(mesh, now) && seconds < 100) {
        now += term_leap_pace;
        ++seconds;
    }
    EXPECT_LE(seconds, 5);
    EXPECT_EQ(terms.next(), mesh + 1);
}

TEST(term_clock, is_pushed_by_a_leap_a_second_however_often_it_is_told) {
    term_clock terms;
    auto now = time_point{} + 1000s;
    term_number pushed = 0;
    for (int i = 0; i < 100'000; ++i) {
        now += 100us;
        if (terms.hear(pushed + max_term_leap / 3, now)) {
            pushed += max_term_leap / 3;
        }
    }
    EXPECT_LE(terms.known(), 12 * max_term_leap);
}

}  // namespace
}  // namespace starling::deployment
