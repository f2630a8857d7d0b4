#include "peers/dial_policy.hpp"

#include <gtest/gtest.h>

namespace starling::peers {

using urgency = dial_policy::urgency;

constexpr dial_policy::time_point start{std::chrono::hours(1)};

node_id numbered(std::uint8_t n) {
    node_id out;
    out.bytes.fill(n);
    return out;
}

class dial_policy_test : public testing::Test {
  protected:
    /// The pause after one more failure at `start`.
    dial_policy::time_point::duration fail_once(double jitter) {
        EXPECT_TRUE(policy_.take(lower_, urgency::contact, clock_));
        policy_.failed(lower_, clock_, jitter);
        const auto pause = policy_.next(lower_) - clock_;
        clock_ = policy_.next(lower_);
        return pause;
    }

    node_id self_ = numbered(100);
    node_id lower_ = numbered(50);
    node_id higher_ = numbered(200);
    dial_policy policy_{self_};
    dial_policy::time_point clock_ = start;
};

TEST_F(dial_policy_test, TheLowerIdConnectsAtOnceAndTheOtherALittleLater) {
    EXPECT_TRUE(policy_.take(higher_, urgency::member, start));
    EXPECT_FALSE(policy_.take(lower_, urgency::member, start));
    EXPECT_EQ(policy_.next(lower_), start + second_caller_waits);
    EXPECT_FALSE(policy_.take(lower_, urgency::member, start + second_caller_waits - 1ms));
    EXPECT_TRUE(policy_.take(lower_, urgency::member, start + second_caller_waits));
}

TEST_F(dial_policy_test, AContactIsTriedAtOnceByEither) {
    EXPECT_TRUE(policy_.take(lower_, urgency::contact, start));
    EXPECT_TRUE(policy_.take(higher_, urgency::contact, start));
}

TEST_F(dial_policy_test, NobodyIsTriedTwiceAtATime) {
    EXPECT_EQ(policy_.next(higher_), dial_policy::time_point::min());
    EXPECT_TRUE(policy_.take(higher_, urgency::contact, start));
    EXPECT_FALSE(policy_.take(higher_, urgency::contact, start + 1h));
    EXPECT_EQ(policy_.next(higher_), dial_policy::time_point::max());
}

TEST_F(dial_policy_test, PausesDoubleUpToTheLongest) {
    auto expected = std::chrono::duration_cast<std::chrono::milliseconds>(first_pause);
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(fail_once(1.0), expected) << i;
        expected = std::min(expected * 2, longest_pause);
    }
    EXPECT_EQ(expected, longest_pause);
}

TEST_F(dial_policy_test, JitterIsBetweenHalfAPauseAndAWholeOne) {
    for (const double jitter : {0.0, 0.25, 0.5, 0.999999}) {
        policy_.forget(lower_);
        const auto pause = fail_once(jitter);
        EXPECT_GE(pause, first_pause / 2) << jitter;
        EXPECT_LE(pause, first_pause) << jitter;
    }
    policy_.forget(lower_);
    EXPECT_EQ(fail_once(0.0), first_pause / 2);
}

TEST_F(dial_policy_test, ARefusalIsFollowedByALongPause) {
    EXPECT_TRUE(policy_.take(lower_, urgency::contact, start));
    policy_.refused(lower_, start);
    EXPECT_FALSE(policy_.take(lower_, urgency::contact, start + refused_pause - 1ms));
    EXPECT_TRUE(policy_.take(lower_, urgency::contact, start + refused_pause));
}

TEST_F(dial_policy_test, WhoIsHeardOfAnewIsTriedAtOnceAndCountsFromTheBeginning) {
    for (int i = 0; i < 5; ++i) {
        fail_once(1.0);
    }
    fail_once(1.0);
    EXPECT_TRUE(policy_.take(lower_, urgency::contact, clock_));
    policy_.refused(lower_, clock_);
    policy_.hurry(lower_, clock_);
    EXPECT_EQ(fail_once(1.0), first_pause);
}

TEST_F(dial_policy_test, HurryDoesNotDisturbATryThatIsUnderWay) {
    EXPECT_TRUE(policy_.take(lower_, urgency::contact, start));
    policy_.hurry(lower_, start);
    EXPECT_FALSE(policy_.take(lower_, urgency::contact, start + 1h));
    policy_.hurry(higher_, start);
    EXPECT_EQ(policy_.next(higher_), dial_policy::time_point::min()) << "nobody knows it";
}

TEST_F(dial_policy_test, SoManyAtOnceAndNoMore) {
    for (std::size_t i = 0; i < dials_at_once; ++i) {
        EXPECT_TRUE(policy_.take(numbered(static_cast<std::uint8_t>(i)), urgency::contact, start));
    }
    EXPECT_FALSE(policy_.take(higher_, urgency::contact, start));
    policy_.failed(numbered(3), start, 0.5);
    EXPECT_TRUE(policy_.take(higher_, urgency::contact, start));
    EXPECT_FALSE(policy_.take(lower_, urgency::contact, start));
}

TEST_F(dial_policy_test, WhoIsForgottenWhileItIsTriedIsTriedUntilThatHasEnded) {
    for (std::size_t i = 0; i < dials_at_once; ++i) {
        EXPECT_TRUE(policy_.take(numbered(static_cast<std::uint8_t>(i)), urgency::contact, start));
    }
    policy_.forget(numbered(3));
    EXPECT_FALSE(policy_.take(numbered(3), urgency::contact, start + 1h)) << "two would replace each other for ever";
    policy_.ended(numbered(3));
    policy_.ended(numbered(3));
    EXPECT_TRUE(policy_.take(higher_, urgency::contact, start));
    EXPECT_FALSE(policy_.take(lower_, urgency::contact, start));
}

}  // namespace starling::peers
