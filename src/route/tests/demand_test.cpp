#include "route/demand_table.hpp"
#include "route/standby_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace starling::route {

using namespace std::chrono_literals;

TEST(DemandTable, CountsWhatIsAskedFor) {
    demand_table table;
    const steady_time start{100s};
    table.count("a", start);
    table.count("a", start + 1s);
    table.count("b", start + 2s);
    const auto seen = table.snapshot(start + 3s);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].model, "a");
    EXPECT_EQ(seen[0].requests, 2U);
    EXPECT_DOUBLE_EQ(seen[0].rate_per_min, 2.0);
    EXPECT_DOUBLE_EQ(seen[0].last_active_s, 2.0);
}

TEST(DemandTable, ForgetsTheOldestOfTooMany) {
    demand_table table;
    for (std::size_t i = 0; i <= max_wanted_models; ++i) {
        table.count("model " + std::to_string(i), steady_time(std::chrono::seconds(i)));
    }
    const auto seen = table.snapshot(steady_time(1000s));
    EXPECT_EQ(seen.size(), max_wanted_models);
    EXPECT_TRUE(std::none_of(seen.begin(), seen.end(), [](const auto& one) { return one.model == "model 0"; }));
}

TEST(StandbyPolicy, LoadsWhatIsWantedAndNotServed) {
    standby_view view{.served = false, .last_wanted_s = 1.0, .rank = 0, .waited = 0s};
    EXPECT_TRUE(should_load(view));
    view.served = true;
    EXPECT_FALSE(should_load(view));
    view.served = false;
    view.last_wanted_s.reset();
    EXPECT_FALSE(should_load(view));
    view.last_wanted_s = demand_counts_s + 1;
    EXPECT_FALSE(should_load(view)) << "that was long ago";
}

TEST(StandbyPolicy, TheSecondWaitsForTheFirst) {
    standby_view view{.served = false, .last_wanted_s = 1.0, .rank = 2, .waited = 19s};
    EXPECT_FALSE(should_load(view));
    view.waited = 20s;
    EXPECT_TRUE(should_load(view));
}

TEST(StandbyPolicy, RequestsFromBeforeAnUnloadDoNotCount) {
    EXPECT_TRUE(is_after_unload(1.0, 2.0, demand_source::this_node));
    EXPECT_FALSE(is_after_unload(3.0, 2.0, demand_source::this_node));
    // What another node tells may be some seconds old.
    EXPECT_FALSE(is_after_unload(1.0, 2.0, demand_source::another_node));
    EXPECT_TRUE(is_after_unload(1.0, 1.1 + told_demand_age_s, demand_source::another_node));
}

}  // namespace starling::route
