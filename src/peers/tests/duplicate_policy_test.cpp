#include "peers/duplicate_policy.hpp"

#include <gtest/gtest.h>

namespace starling::peers {

TEST(DuplicatePolicy, BothSidesKeepTheSameOne) {
    node_id a;
    node_id b;
    a.bytes.fill(1);
    b.bytes.fill(2);
    // Each side sees its own connection and that of the other in its own order.
    EXPECT_EQ(which_to_keep(a, b, a, b), keep::existing);  // at a: its own came first
    EXPECT_EQ(which_to_keep(b, a, a, b), keep::existing);  // at b: the other's came first
    EXPECT_EQ(which_to_keep(a, b, b, a), keep::newer);
    EXPECT_EQ(which_to_keep(b, a, b, a), keep::newer);
}

TEST(DuplicatePolicy, ANodeThatConnectsAgainHasLostItsFirst) {
    node_id a;
    node_id b;
    b.bytes.fill(2);
    EXPECT_EQ(which_to_keep(a, b, b, b), keep::newer);
    EXPECT_EQ(which_to_keep(a, b, a, a), keep::newer);
}

}  // namespace starling::peers
