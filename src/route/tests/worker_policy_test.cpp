#include "route/worker_policy.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace starling::route {

worker_view worker(std::uint8_t id, double tokens_per_s = 50.0) {
    worker_view out;
    out.id.bytes.fill(id);
    out.name = "node-" + std::to_string(id);
    out.health = assess({.cpu_percent = 10.0, .memory_percent = 20.0}, 0, 64);
    out.slots = 4;
    out.round_trip = std::chrono::milliseconds(1);
    out.prefill_tokens_per_s = 10 * tokens_per_s;
    out.decode_tokens_per_s = tokens_per_s;
    return out;
}

const demand usual{.prompt_tokens = 400, .answer_tokens = 200, .tried = {}};

std::size_t choose(const std::vector<worker_view>& from, const demand& what = usual, double draw = 0.0) {
    const auto choice = choose_worker(from, what, draw);
    EXPECT_TRUE(choice);
    return choice ? choice->index : 99;
}

TEST(WorkerPolicy, TheFasterOneAnswers) {
    EXPECT_EQ(choose({worker(1, 20), worker(2, 100), worker(3, 50)}), 1U);
}

TEST(WorkerPolicy, AQueueOutweighsSpeed) {
    auto fast = worker(1, 60);
    fast.busy = 4;
    fast.queued = 6;
    EXPECT_EQ(choose({fast, worker(2, 40)}), 1U);
}

TEST(WorkerPolicy, ACachedPrefixIsWorthADetour) {
    auto knows = worker(2);
    knows.cached_tokens = 3'900;
    knows.round_trip = std::chrono::milliseconds(40);
    const demand long_talk{.prompt_tokens = 4'000, .answer_tokens = 50, .tried = {}};
    EXPECT_EQ(choose({worker(1), knows}, long_talk, 0.99), 1U);
}

TEST(WorkerPolicy, ThisNodeIsPreferredWhenItIsAsGood) {
    auto here = worker(9);
    here.here = true;
    here.round_trip = {};
    for (const double draw : {0.0, 0.5, 0.99}) {
        EXPECT_EQ(choose({worker(1), here, worker(2)}, usual, draw), 1U);
    }
}

TEST(WorkerPolicy, AFarNodeIsTakenOnlyWhenItIsWorthTheWay) {
    auto far = worker(1, 52);
    far.round_trip = std::chrono::seconds(2);
    EXPECT_EQ(choose({far, worker(2, 50)}, {.prompt_tokens = 10, .answer_tokens = 10, .tried = {}}), 1U);
    EXPECT_EQ(choose({far, worker(2, 5)}), 0U);
}

TEST(WorkerPolicy, TheOverloadedAreAskedLast) {
    auto tired = worker(1, 500);
    tired.health = assess({.cpu_percent = 100.0, .memory_percent = 99.0}, 64, 64);
    ASSERT_EQ(tired.health.state, health_state::overloaded);
    EXPECT_EQ(choose({tired, worker(2, 1)}), 1U);
    const auto only = choose_worker(std::vector{tired}, usual, 0.0);
    ASSERT_TRUE(only);
    EXPECT_NE(only->reason.find("overloaded"), std::string::npos);
}

TEST(WorkerPolicy, ABusyNodeLooksSlower) {
    auto busy = worker(1, 55);
    busy.health = assess({.cpu_percent = 95.0, .memory_percent = 50.0}, 0, 64);
    ASSERT_EQ(busy.health.state, health_state::busy);
    EXPECT_EQ(choose({busy, worker(2, 50)}), 1U);
}

TEST(WorkerPolicy, WhoWasTriedIsNotAskedAgain) {
    const std::vector workers{worker(1, 100), worker(2, 10)};
    EXPECT_EQ(choose(workers, {.prompt_tokens = 1, .answer_tokens = 1, .tried = {workers[0].id}}), 1U);
    EXPECT_FALSE(
        choose_worker(workers, {.prompt_tokens = 1, .answer_tokens = 1, .tried = {workers[0].id, workers[1].id}}, 0.0));
    EXPECT_FALSE(choose_worker({}, usual, 0.0));
}

TEST(WorkerPolicy, OneThatWasNeverMeasuredCountsAsTheOthers) {
    auto unknown = worker(1);
    unknown.prefill_tokens_per_s = 0.0;
    unknown.decode_tokens_per_s = 0.0;
    EXPECT_EQ(choose({unknown, worker(2, 10), worker(3, 90)}), 2U);
    EXPECT_EQ(choose({unknown, worker(2, 10), worker(3, 12)},
                     {.prompt_tokens = 400, .answer_tokens = 200, .tried = {[] {
                                                                      node_id id;
                                                                      id.bytes.fill(3);
                                                                      return id;
                                                                  }()}}),
              0U);
    unknown.round_trip = {};
    EXPECT_EQ(choose({unknown}), 0U);
}

TEST(WorkerPolicy, EqualsShareTheLoad) {
    const std::vector workers{worker(1), worker(2), worker(3), worker(4, 10)};
    std::array<int, 4> taken{};
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        ++taken[choose(workers, usual, uniform_draw(5, i))];
    }
    for (const std::size_t equal : {0U, 1U, 2U}) {
        EXPECT_GT(taken[equal], 850) << equal;
    }
    EXPECT_EQ(taken[3], 0) << "much slower";
}

TEST(WorkerPolicy, TheReasonIsOneLineThatNamesTheNextBest) {
    const auto choice = choose_worker(std::vector{worker(1, 20), worker(2, 100)}, usual, 0.0);
    EXPECT_TRUE(choice->reason.starts_with("node-2 (healthy, 0 of 4 slots busy, 1.0 ms away): ")) << choice->reason;
    EXPECT_NE(choice->reason.find("node-1"), std::string::npos);
    EXPECT_EQ(choice->reason.find('\n'), std::string::npos);
}

}  // namespace starling::route
