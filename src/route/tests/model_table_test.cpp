#include "route/model_table.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace starling::route {
namespace {

using namespace std::chrono_literals;

class silent_generator final : public engine::generator {
  public:
    engine::model_info info() const override { return {}; }
    engine::engine_load load() const override { return {}; }
    engine::awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request,
                                                                              aio::call_context) override {
        co_return fail(engine::errc::internal, "silent");
    }
    engine::awaitable<result<engine::embedding_result>> embed(engine::embed_request, aio::call_context) override {
        co_return fail(engine::errc::internal, "silent");
    }
};

const steady_time start = steady_time{} + 1000s;

TEST(model_table, an_empty_table_says_how_to_serve_a_model) {
    model_table table;
    EXPECT_TRUE(table.choose("", start).error() == engine::errc::unavailable);
    const auto unknown = table.choose("gpt-4", start);
    ASSERT_TRUE(unknown.has_error());
    EXPECT_TRUE(unknown.error() == engine::errc::unknown_model);
    EXPECT_NE(unknown.error().message.find("'gpt-4'"), std::string::npos);
}

TEST(model_table, a_loading_model_tells_its_percentage) {
    model_table table;
    table.announce("starter", "built in");
    table.set_progress("starter", 0.427F);
    const auto chosen = table.choose("starter", start);
    ASSERT_TRUE(chosen.has_error());
    EXPECT_TRUE(chosen.error() == engine::errc::loading);
    EXPECT_NE(chosen.error().message.find("42 %"), std::string::npos);
    EXPECT_TRUE(table.choose("auto", start).error() == engine::errc::loading);
    EXPECT_EQ(table.snapshot(start).at(0).requests, 0U);
}

TEST(model_table, models_in_reserve_are_what_auto_means_where_there_is_nothing_else) {
    model_table table;
    table.announce("broken", "built in");
    table.set_failed("broken", fail(engine::errc::unavailable, "no"));
    table.announce("starter", "built in", model_state::standby);
    for (const auto* name : {"starter", "", "auto"}) {
        const auto chosen = table.choose(name, start);
        ASSERT_TRUE(chosen.has_error()) << name;
        EXPECT_TRUE(chosen.error() == engine::errc::loading) << chosen.error().message;
    }
    table.remove("broken");
    EXPECT_TRUE(table.choose("auto", start).error() == engine::errc::loading);
}

TEST(model_table, a_ready_model_is_chosen_and_counted) {
    model_table table;
    const auto generator = std::make_shared<silent_generator>();
    table.announce("starter", "built in");
    table.set_ready("starter", generator);
    for (const auto* name : {"starter", "", "auto"}) {
        const auto chosen = table.choose(name, start);
        ASSERT_TRUE(chosen.has_value()) << name;
        EXPECT_EQ(chosen->generator, generator);
        EXPECT_EQ(chosen->model_id, "starter");
        EXPECT_FALSE(chosen->reason.empty());
    }
    const auto later = table.snapshot(start + 5s).at(0);
    EXPECT_EQ(later.requests, 3U);
    EXPECT_DOUBLE_EQ(later.request_rate_per_min, 3.0);
    EXPECT_DOUBLE_EQ(later.last_active_s.value(), 5.0);
    EXPECT_DOUBLE_EQ(table.snapshot(start + 61s).at(0).request_rate_per_min, 0.0);
}

TEST(model_table, automatic_skips_models_that_are_not_ready) {
    model_table table;
    table.announce("big", "/models/big.gguf");
    table.announce("small", "/models/small.gguf");
    table.set_ready("small", std::make_shared<silent_generator>());
    EXPECT_EQ(table.choose("", start)->model_id, "small");
    EXPECT_TRUE(table.choose("big", start).error() == engine::errc::loading);
}

TEST(model_table, a_model_named_auto_is_found_by_its_name) {
    model_table table;
    table.announce("first", "a");
    table.set_ready("first", std::make_shared<silent_generator>());
    table.announce("auto", "b");
    table.set_ready("auto", std::make_shared<silent_generator>());
    EXPECT_EQ(table.choose("auto", start)->model_id, "auto");
}

TEST(model_table, a_failed_model_gives_its_reason) {
    model_table table;
    table.announce("broken", "/models/broken.gguf");
    table.set_failed("broken", fail(engine::errc::internal, "/models/broken.gguf is truncated."));
    const auto chosen = table.choose("broken", start);
    ASSERT_TRUE(chosen.has_error());
    EXPECT_TRUE(chosen.error() == engine::errc::unavailable);
    EXPECT_NE(chosen.error().message.find("is truncated"), std::string::npos);
    EXPECT_TRUE(table.choose("", start).error() == engine::errc::unavailable);
}

TEST(model_table, a_model_that_waits_gives_the_reason_as_it_is_and_can_become_ready) {
    model_table table;
    table.announce("split", "/models/split.gguf");
    table.set_waiting("split", fail(engine::errc::loading, "It is being put together."));
    for (const char* name : {"split", "auto"}) {
        const auto chosen = table.choose(name, start);
        ASSERT_TRUE(chosen.has_error());
        EXPECT_TRUE(chosen.error() == engine::errc::loading);
        EXPECT_NE(chosen.error().message.find("It is being put together."), std::string::npos);
    }
    EXPECT_EQ(table.snapshot(start)[0].failure, "It is being put together.");
    table.set_ready("split", std::make_shared<silent_generator>());
    EXPECT_TRUE(table.choose("split", start).has_value());
    EXPECT_TRUE(table.snapshot(start)[0].failure.empty());
}

TEST(model_table, reports_about_a_removed_model_are_ignored) {
    model_table table;
    table.announce("gone", "x");
    table.remove("gone");
    table.set_progress("gone", 0.5F);
    table.set_ready("gone", std::make_shared<silent_generator>());
    table.set_failed("gone", fail(engine::errc::internal, "x"));
    EXPECT_TRUE(table.empty());
    EXPECT_TRUE(table.choose("gone", start).error() == engine::errc::unknown_model);
}

TEST(model_table, an_unknown_name_is_not_echoed_without_end) {
    model_table table;
    const auto chosen = table.choose(std::string(1 << 20, 'x'), start);
    ASSERT_TRUE(chosen.has_error());
    EXPECT_LT(chosen.error().message.size(), 400U);
}

TEST(request_rate, buckets_are_reused_after_a_minute) {
    request_rate rate;
    for (int minute = 0; minute < 3; ++minute) {
        rate.count(start + std::chrono::minutes(minute));
    }
    EXPECT_DOUBLE_EQ(rate.per_minute(start + 2min), 1.0);
    EXPECT_DOUBLE_EQ(rate.per_minute(start + 10min), 0.0);
}

}  // namespace
}  // namespace starling::route
