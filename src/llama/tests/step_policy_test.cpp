#include "llama/step_policy.hpp"

#include <gtest/gtest.h>

namespace starling::llama {

bool operator==(const allotment& a, const allotment& b) {
    return a.sequence == b.sequence && a.tokens == b.tokens;
}

namespace {

using shares = std::vector<allotment>;

TEST(ShareStep, EveryDecodingSlotGetsOneToken) {
    const std::vector<slot_demand> demands{{0, 1, 1}, {2, 1, 2}, {5, 1, 3}};
    EXPECT_EQ(share_step(demands, {512, 64, 512}), (shares{{0, 1}, {2, 1}, {5, 1}}));
}

TEST(ShareStep, ALongPromptGoesFirstAsFarAsItsBudgetGoes) {
    const std::vector<slot_demand> demands{{0, 1, 1}, {1, 5000, 2}};
    EXPECT_EQ(share_step(demands, {512, 64, 512}), (shares{{1, 64}}));
    EXPECT_EQ(share_step(demands, {512, 0, 512}), (shares{{0, 1}}));
}

TEST(ShareStep, PromptsAloneFillTheStepInOrderOfArrival) {
    const std::vector<slot_demand> demands{{0, 300, 9}, {1, 400, 3}, {2, 100, 12}};
    EXPECT_EQ(share_step(demands, {512, 64, 512}), (shares{{0, 112}, {1, 400}}));
}

TEST(ShareStep, SeveralShortPromptsShareAChunk) {
    const std::vector<slot_demand> demands{{3, 1, 1}, {0, 20, 2}, {1, 20, 3}, {2, 100, 4}};
    EXPECT_EQ(share_step(demands, {512, 64, 512}), (shares{{0, 20}, {1, 20}, {2, 24}}));
}

TEST(ShareStep, ThePromptWithOneTokenLeftIsComputedWithTheDecodingSlots) {
    const std::vector<slot_demand> demands{{0, 1, 1}, {1, 1, 2}, {2, 100, 4}};
    EXPECT_EQ(share_step(demands, {512, 0, 512}), (shares{{0, 1}, {1, 1}}));
}

TEST(ShareStep, OnlyShortPromptsAreJoined) {
    const std::vector<slot_demand> demands{{0, 40, 1}, {1, 40, 2}, {2, 40, 3}};
    EXPECT_EQ(share_step(demands, {512, 64, 64}), (shares{{0, 40}, {1, 40}}));
    EXPECT_EQ(share_step(demands, {512, 64, 0}), (shares{{0, 40}}));
}

TEST(ShareStep, APromptThatIsToBeComputedInSmallStepsIsAndOthersJoinIt) {
    const std::vector<slot_demand> demands{{0, 300, 1, 32}, {1, 100, 2}, {2, 20, 3, 32}};
    EXPECT_EQ(share_step(demands, {512, 64, 0}), (shares{{0, 32}}));
    EXPECT_EQ(share_step(demands, {512, 64, 512}), (shares{{0, 32}, {1, 100}, {2, 20}}));
}

TEST(ShareStep, NothingToDoIsAnEmptyStep) {
    EXPECT_TRUE(share_step({}, {512, 64, 512}).empty());
}

TEST(PrefillBudget, IsUsedUpWhileStreamsWaitAndComesBackAfterADecode) {
    prefill_budget budget;
    EXPECT_EQ(budget.left(300.0), 256);
    EXPECT_EQ(budget.left(3.0), 128);
    budget.spend(512, false);  // nobody waited
    EXPECT_EQ(budget.left(300.0), 256);
    budget.spend(100, true);
    EXPECT_EQ(budget.left(300.0), 156);
    budget.spend(60, true);
    EXPECT_EQ(budget.left(300.0), 0);  // 96 are not worth a step
    budget.spend(4, false);
    EXPECT_EQ(budget.left(300.0), 256);
}

TEST(GapsToFill, FillsShortGapsAndLeavesLongOnes) {
    const shares allotted{{0, 1}, {2, 1}, {3, 1}, {9, 1}};
    EXPECT_EQ(gaps_to_fill(allotted, 3), (std::vector<sequence_id>{1}));
    EXPECT_EQ(gaps_to_fill(allotted, 5), (std::vector<sequence_id>{1, 4, 5, 6, 7, 8}));
    EXPECT_TRUE(gaps_to_fill({}, 3).empty());
    const std::vector<allotment> prefill{{.sequence = 0, .tokens = 40}, {.sequence = 2, .tokens = 216}};
    EXPECT_TRUE(gaps_to_fill(prefill, 3).empty()) << "a step that is full stays as wide as it is";
}

}  // namespace
}  // namespace starling::llama
