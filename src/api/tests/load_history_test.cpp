#include "api/load_history.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace starling::api {
namespace {

constexpr std::int64_t start_s = 1'800'000'000;
constexpr std::int64_t step_s = load_history::interval.count();

peer_facts peer(std::string id, double cpu) {
    peer_facts out;
    out.node_id = std::move(id);
    out.health = route::health{};
    out.health->cpu_percent = cpu;
    out.rtt_ms = 1.5;
    return out;
}

TEST(load_history, keeps_half_an_hour_of_each_node) {
    load_history history;
    for (std::int64_t i = 0; i < 400; ++i) {
        history.add(start_s + i * step_s, std::vector{peer("a", static_cast<double>(i % 100))});
    }
    const auto* kept = history.of("a");
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->size(), load_history::samples);
    EXPECT_EQ(kept->back().unix_s, start_s + 399 * step_s);
    EXPECT_EQ(kept->back().cpu, 99);
    EXPECT_EQ(kept->front().unix_s, start_s + 40 * step_s);
    EXPECT_EQ(history.of("b"), nullptr);
}

TEST(load_history, a_node_that_is_gone_is_forgotten_in_time) {
    load_history history;
    history.add(start_s, std::vector{peer("a", 1), peer("b", 1)});
    peer_facts silent = peer("b", 0);
    silent.health.reset();
    for (std::int64_t i = 1; i <= 361; ++i) {
        history.add(start_s + i * step_s, std::vector{peer("a", 1), silent});
    }
    EXPECT_NE(history.of("a"), nullptr);
    EXPECT_EQ(history.of("b"), nullptr);
}

TEST(load_history, without_a_connection_there_is_no_round_trip) {
    load_history history;
    peer_facts far = peer("a", 250.0);
    far.rtt_ms.reset();
    history.add(start_s, std::vector{far});
    EXPECT_LT(history.of("a")->front().rtt_ms, 0.0F);
    EXPECT_EQ(history.of("a")->front().cpu, 100);
}

}  // namespace
}  // namespace starling::api
