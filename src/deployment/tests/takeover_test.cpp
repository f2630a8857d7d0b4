#include "deployment/takeover.hpp"

#include <gtest/gtest.h>

namespace starling::deployment {

namespace {

node_id node(std::uint8_t number) {
    node_id out;
    out.bytes.fill(number);
    return out;
}

stage at(std::uint8_t number, std::uint32_t first, std::uint32_t end) {
    return {.node = node(number), .layers = {.first = first, .end = end}};
}

const plan before{at(1, 0, 4), at(2, 4, 8), at(3, 8, 12)};

}  // namespace

TEST(Takeover, ASpareHasTheLayersOfWhoIsGone) {
    const plan after{at(1, 0, 4), at(4, 4, 8), at(3, 8, 12)};
    EXPECT_EQ(takeover_between(before, after), (takeover{.from = node(2), .to = node(4)}));
}

TEST(Takeover, ThoseWhoAreLeftShareThem) {
    const plan after{at(1, 0, 6), at(3, 6, 12)};
    EXPECT_EQ(takeover_between(before, after), (takeover{.from = node(2), .to = node(1)}));
}

TEST(Takeover, OfTwoThatAreGoneTheFirstIsNamed) {
    const plan after{at(4, 0, 4), at(5, 4, 8), at(3, 8, 12)};
    EXPECT_EQ(takeover_between(before, after), (takeover{.from = node(1), .to = node(4)}));
}

TEST(Takeover, OtherCutsBetweenTheSameNodesAreNone) {
    const plan after{at(2, 0, 2), at(1, 2, 8), at(3, 8, 12)};
    EXPECT_EQ(takeover_between(before, after), std::nullopt);
    EXPECT_EQ(takeover_between(before, before), std::nullopt);
    EXPECT_EQ(takeover_between({}, after), std::nullopt);
    EXPECT_EQ(takeover_between(before, {}), std::nullopt);
}

}  // namespace starling::deployment
