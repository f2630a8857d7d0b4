#include "route/health.hpp"

#include <gtest/gtest.h>

namespace starling::route {
namespace {

TEST(health, an_idle_machine_scores_a_hundred) {
    const auto h = assess({0.0, 0.0}, 0, 64);
    EXPECT_DOUBLE_EQ(h.score, 100.0);
    EXPECT_EQ(h.state, health_state::healthy);
}

TEST(health, each_part_has_its_weight) {
    EXPECT_DOUBLE_EQ(assess({100.0, 0.0}, 0, 64).score, 60.0);
    EXPECT_DOUBLE_EQ(assess({0.0, 100.0}, 0, 64).score, 60.0);
    EXPECT_DOUBLE_EQ(assess({0.0, 0.0}, 64, 64).score, 80.0);
    EXPECT_DOUBLE_EQ(assess({0.0, 0.0}, 32, 64).queue_availability_percent, 50.0);
}

TEST(health, sixty_is_busy_and_below_twenty_is_overloaded) {
    EXPECT_EQ(assess({100.0, 0.0}, 0, 64).state, health_state::busy);
    EXPECT_EQ(assess({100.0, 100.0}, 0, 64).state, health_state::busy);
    EXPECT_EQ(assess({100.0, 100.0}, 1, 64).state, health_state::overloaded);
}

TEST(health, figures_out_of_range_do_no_harm) {
    const auto h = assess({250.0, -5.0}, 900, 64);
    EXPECT_DOUBLE_EQ(h.score, 40.0);
    EXPECT_DOUBLE_EQ(assess({0.0, 0.0}, 5, 0).queue_availability_percent, 100.0);
}

}  // namespace
}  // namespace starling::route
