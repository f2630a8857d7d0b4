#include "llama/prefix_policy.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace starling::llama {
namespace {

using tokens = std::vector<engine::token_id>;

tokens counting(std::size_t n, engine::token_id first = 0) {
    tokens out(n);
    std::iota(out.begin(), out.end(), first);
    return out;
}

tokens operator+(tokens a, const tokens& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

slot_view idle(sequence_id sequence, const tokens& cached, std::uint64_t last_used) {
    return {.sequence = sequence, .idle = true, .cached = cached, .coming = {}, .lowest = 0, .last_used = last_used};
}

slot_view busy(sequence_id sequence, const tokens& cached, const tokens& coming = {}) {
    return {.sequence = sequence, .idle = false, .cached = cached, .coming = coming, .lowest = 0, .last_used = 9};
}

TEST(PlacePrompt, WaitsWhenEverySlotIsBusy) {
    const tokens cached = counting(10);
    EXPECT_FALSE(place_prompt(counting(5), std::vector{busy(0, cached)}, {}));
}

TEST(PlacePrompt, TakesAnEmptySlotBeforeOneWithACache) {
    const tokens a = counting(50, 100);
    const auto where = place_prompt(counting(20), std::vector{idle(0, a, 1), idle(1, {}, 2)}, {});
    ASSERT_TRUE(where);
    EXPECT_EQ(where->slot, 1);
    EXPECT_EQ(where->keep, 0);
    EXPECT_FALSE(where->copy_from);
}

TEST(PlacePrompt, TakesTheSlotUnusedForLongest) {
    const tokens a = counting(50, 100);
    const tokens b = counting(50, 200);
    EXPECT_EQ(place_prompt(counting(20), std::vector{idle(0, a, 7), idle(1, b, 3)}, {})->slot, 1);
}

TEST(PlacePrompt, GoesOnInPlaceWithAConversation) {
    const tokens history = counting(100);
    const tokens other = counting(40, 500);
    const auto where =
        place_prompt(history + counting(20, 900), std::vector{idle(0, other, 1), idle(1, history, 2)}, {});
    EXPECT_EQ(where->slot, 1);
    EXPECT_EQ(where->keep, 100);
    EXPECT_FALSE(where->copy_from);
}

TEST(PlacePrompt, AlwaysLeavesOneTokenToCompute) {
    const tokens prompt = counting(30);
    EXPECT_EQ(place_prompt(prompt, std::vector{idle(0, prompt, 1)}, {})->keep, 29);
}

TEST(PlacePrompt, CopiesFromABusySlot) {
    const tokens shared = counting(400);
    const tokens running = shared + counting(30, 1000);
    const auto where =
        place_prompt(shared + counting(10, 2000), std::vector{busy(0, running), idle(1, {}, 0)}, {.copy_tokens = 50});
    EXPECT_EQ(where->slot, 1);
    EXPECT_EQ(where->keep, 400);
    EXPECT_EQ(where->copy_from, 0);
}

TEST(PlacePrompt, DoesNotCopyWhatIsCheaperToCompute) {
    const tokens shared = counting(40);
    const auto where =
        place_prompt(shared + counting(10, 2000), std::vector{busy(0, shared), idle(1, {}, 0)}, {.copy_tokens = 50});
    EXPECT_EQ(where->keep, 0);
    EXPECT_FALSE(where->copy_from);
}

TEST(PlacePrompt, KeepsALongConversationAliveByCopyingItsBeginning) {
    const tokens shared = counting(100);
    const tokens conversation = shared + counting(900, 1000);
    const auto where =
        place_prompt(shared + counting(10, 5000), std::vector{idle(0, conversation, 5), idle(1, {}, 0)}, {});
    EXPECT_EQ(where->slot, 1);
    EXPECT_EQ(where->copy_from, 0);
    EXPECT_EQ(where->keep, 100);
}

TEST(PlacePrompt, WaitsForAPrefixThatIsBeingComputed) {
    const tokens prompt = counting(400);
    const tokens so_far = counting(64);
    const std::vector slots{busy(0, so_far, prompt), idle(1, {}, 0)};
    EXPECT_FALSE(place_prompt(prompt + counting(8, 3000), slots, {.copy_tokens = 20}));
    // A short common beginning is not worth it.
    EXPECT_TRUE(place_prompt(counting(20) + counting(300, 3000), slots, {.copy_tokens = 20}));
}

TEST(PlacePrompt, ReusesARunningStateOnlyWhole) {
    const tokens cached = counting(100);
    const prefix_costs recurrent{.copy_tokens = 0, .can_truncate = false, .window = 0};
    EXPECT_EQ(place_prompt(cached + counting(5, 900), std::vector{idle(0, cached, 1)}, recurrent)->keep, 100);
    EXPECT_EQ(place_prompt(counting(60) + counting(5, 900), std::vector{idle(0, cached, 1)}, recurrent)->keep, 0);
}

TEST(PlacePrompt, DoesNotBeginBehindASlidingWindow) {
    const tokens cached = counting(1000);
    slot_view slot = idle(0, cached, 1);
    slot.lowest = 800;
    const prefix_costs windowed{.copy_tokens = 0, .can_truncate = true, .window = 128};
    EXPECT_EQ(place_prompt(counting(600) + counting(5, 5000), std::vector{slot}, windowed)->keep, 0);
    EXPECT_EQ(place_prompt(cached + counting(5, 5000), std::vector{slot}, windowed)->keep, 1000);
}

}  // namespace
}  // namespace starling::llama
