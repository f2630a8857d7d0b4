// The client against a scripted node: what goes out, what comes back, and every way in which it can go wrong.
#include "sdk/tests/fake_node.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace starling::sdk {
namespace {

using namespace std::chrono_literals;
using namespace test;

client connected(const http_test_server& node, std::string key = {}) {
    auto made = client::connect({.url = node.url(), .api_key = std::move(key)});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
}

void expect_error(const error& got, error_kind kind, int http_status = 0) {
    EXPECT_EQ(to_string(got.kind), to_string(kind)) << got.message;
    EXPECT_EQ(got.http_status, http_status) << got.message;
    EXPECT_GT(got.message.size(), 10U);
}

TEST(connect, tells_who_the_node_is) {
    const http_test_server node(node_that_says({}));
    for (const std::string end : {"", "/", "/v1", "/v1/"}) {
        const auto made = client::connect({.url = node.url() + end, .api_key = "sk-1"});
        ASSERT_TRUE(made) << made.error().message;
        EXPECT_EQ(made->node().id, node_id);
        EXPECT_EQ(made->node().name, "here");
        EXPECT_EQ(made->node().version, "0.1.0");
        EXPECT_EQ(made->node().mesh_id, "");
    }
    EXPECT_EQ(node.requests().at(0).header("authorization"), "Bearer sk-1");
}

TEST(connect, to_nobody_is_unreachable) {
    std::string url;
    {
        const http_test_server gone(node_that_says({}));
        url = gone.url();
    }
    const auto made = client::connect({.url = url});
    ASSERT_FALSE(made);
    expect_error(made.error(), error_kind::unreachable);
    EXPECT_NE(made.error().message.find(url), std::string::npos);
}

TEST(connect, to_what_is_no_node_is_unreachable) {
    const http_test_server page([](http_connection& c, const http_request&) { c.answer(200, "<html>"); });
    const auto made = client::connect({.url = page.url()});
    ASSERT_FALSE(made);
    expect_error(made.error(), error_kind::unreachable);
    const http_test_server other([](http_connection& c, const http_request&) { c.answer(404, "not here"); });
    const auto made_other = client::connect({.url = other.url()});
    ASSERT_FALSE(made_other);
    expect_error(made_other.error(), error_kind::unreachable, 404);
}

TEST(connect, what_is_no_url_is_invalid) {
    for (const std::string url : {"", "nonsense", "ftp://h", "http://", "http://user:secret@h"}) {
        const auto made = client::connect({.url = url});
        ASSERT_FALSE(made) << url;
        expect_error(made.error(), error_kind::invalid_request);
        EXPECT_EQ(made.error().message.find("secret"), std::string::npos);
    }
}

TEST(connect, a_wrong_key_is_told_without_showing_it) {
    const http_test_server node([](http_connection& c, const http_request& request) {
        c.answer(401, R"({"error":{"message":"bad )" + request.header("authorization") + "\"}}");
    });
    const auto made = client::connect({.url = node.url(), .api_key = "sk-very-secret"});
    ASSERT_FALSE(made);
    expect_error(made.error(), error_kind::unauthorized, 401);
    EXPECT_EQ(made.error().message.find("sk-very-secret"), std::string::npos) << made.error().message;
}

TEST(connect, a_node_that_is_silent_takes_only_the_given_time) {
    const http_test_server node([](http_connection& c, const http_request&) { c.wait_for_close(); });
    const auto before = std::chrono::steady_clock::now();
    const auto made = client::connect({.url = node.url(), .timeout = 100ms});
    ASSERT_FALSE(made);
    expect_error(made.error(), error_kind::timed_out);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST(models, come_with_context_and_state) {
    const http_test_server node(node_that_says({}));
    const auto models = connected(node).models();
    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 3U);
    EXPECT_EQ((*models)[0].id, "small");
    EXPECT_EQ((*models)[0].context_length, 2048);
    EXPECT_EQ((*models)[0].state, model_state::ready);
    EXPECT_EQ((*models)[1].state, model_state::loading);
    EXPECT_EQ((*models)[2].state, model_state::unknown);
}

TEST(chat, gives_the_whole_answer) {
    const http_test_server node(
        node_that_says(event(R"({"reasoning_content":"Hm."})") + text("Hel") + text("lo") + ending()));
    const auto said = connected(node).chat(hello());
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(said->text, "Hello");
    EXPECT_EQ(said->reasoning, "Hm.");
    EXPECT_EQ(said->finish_reason, finish_reason::stop);
    EXPECT_EQ(said->usage.prompt_tokens, 5);
    EXPECT_EQ(said->usage.completion_tokens, 2);
    EXPECT_EQ(said->usage.cached_tokens, 3);
    EXPECT_EQ(said->served_by, node_id);
    EXPECT_EQ(said->model, "small");
}

TEST(chat, asks_what_was_asked_for) {
    const http_test_server node(node_that_says(ending()));
    chat_request request{
        .model = "large",
        .messages = {{.role = role::system, .content = "Be brief."},
                     {.content = "Hi"},
                     {.role = role::assistant, .tool_calls = {{.id = "c1", .name = "clock", .arguments = "{}"}}},
                     {.role = role::tool, .content = "noon", .tool_call_id = "c1"}},
        .max_tokens = 7,
        .temperature = 0.7F,
        .top_p = 0.9F,
        .seed = 42,
        .stop = {"\n"},
        .tools = {{.name = "clock", .description = "The time", .parameters = R"({"type":"object"})"}},
        .tool_choice = tool_choice::required,
        .response_schema = R"({"type":"string"})",
    };
    ASSERT_TRUE(connected(node).chat(request));
    const auto body = boost::json::parse(node.requests().back().body);
    EXPECT_EQ(body.at("model"), "large");
    EXPECT_EQ(body.at("messages").as_array().size(), 4U);
    EXPECT_EQ(body.at_pointer("/messages/2/tool_calls/0/function/name"), "clock");
    EXPECT_EQ(body.at_pointer("/messages/3/tool_call_id"), "c1");
    EXPECT_EQ(body.at("max_tokens"), 7);
    EXPECT_EQ(body.at("temperature"), 0.7);
    EXPECT_EQ(body.at("top_p"), 0.9);
    EXPECT_EQ(body.at("seed"), 42);
    EXPECT_EQ(body.at_pointer("/stop/0"), "\n");
    EXPECT_EQ(body.at_pointer("/tools/0/function/parameters/type"), "object");
    EXPECT_EQ(body.at("tool_choice"), "required");
    EXPECT_EQ(body.at_pointer("/response_format/json_schema/schema/type"), "string");
}

TEST(chat, without_a_model_or_seed_asks_for_auto_and_another_seed_each_time) {
    const http_test_server node(node_that_says(ending()));
    const auto to = connected(node);
    ASSERT_TRUE(to.chat(hello()));
    ASSERT_TRUE(to.chat(hello()));
    const auto requests = node.requests();
    const auto last = boost::json::parse(requests.at(requests.size() - 1).body);
    const auto before = boost::json::parse(requests.at(requests.size() - 2).body);
    EXPECT_EQ(last.at("model"), "auto");
    EXPECT_NE(last.at("seed"), before.at("seed"));
}

TEST(chat, puts_tool_calls_together) {
    const http_test_server node(node_that_says(
        event(R"({"tool_calls":[{"index":0,"id":"c0","function":{"name":"clock","arguments":"{\"a\""}}]})") +
        event(R"({"tool_calls":[{"index":2000000000,"id":"c1","function":{"name":"map","arguments":"{}"}}]})") +
        event(R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})") + ending("tool_calls")));
    const auto said = connected(node).chat(hello());
    ASSERT_TRUE(said);
    EXPECT_EQ(said->finish_reason, finish_reason::tool_calls);
    ASSERT_EQ(said->tool_calls.size(), 2U);
    EXPECT_EQ(said->tool_calls[0].id, "c0");
    EXPECT_EQ(said->tool_calls[0].arguments, R"({"a":1})");
    EXPECT_EQ(said->tool_calls[1].name, "map");
}

TEST(chat, a_schema_that_is_no_json_is_refused_before_anybody_is_asked) {
    const http_test_server node(node_that_says(ending()));
    const auto to = connected(node);
    const auto asked = node.requests().size();
    auto request = hello();
    request.response_schema = "{";
    auto said = to.chat(request);
    ASSERT_FALSE(said);
    expect_error(said.error(), error_kind::invalid_request);
    request = hello();
    request.tools = {{.name = "clock", .parameters = "[]"}};
    said = to.chat(request);
    ASSERT_FALSE(said);
    expect_error(said.error(), error_kind::invalid_request);
    EXPECT_NE(said.error().message.find("clock"), std::string::npos);
    EXPECT_EQ(node.requests().size(), asked);
}

struct refusal {
    int status;
    const char* code;
    error_kind kind;
};

class refusals : public ::testing::TestWithParam<refusal> {};

TEST_P(refusals, have_their_kind_and_the_words_of_the_node) {
    const http_test_server node(node_that_refuses(GetParam().status, GetParam().code));
    const auto said = connected(node).chat(hello());
    ASSERT_FALSE(said);
    expect_error(said.error(), GetParam().kind, GetParam().status);
    EXPECT_EQ(said.error().received, nullptr);
    if (GetParam().status != 404 || GetParam().kind == error_kind::unknown_model) {
        EXPECT_NE(said.error().message.find("No, because."), std::string::npos) << said.error().message;
    }
}

INSTANTIATE_TEST_SUITE_P(of_the_api, refusals,
                         ::testing::Values(refusal{400, "invalid_value", error_kind::invalid_request},
                                           refusal{400, "context_length_exceeded", error_kind::too_long},
                                           refusal{401, "invalid_api_key", error_kind::unauthorized},
                                           refusal{403, "origin_not_allowed", error_kind::unauthorized},
                                           refusal{404, "model_not_found", error_kind::unknown_model},
                                           refusal{404, "unknown_url", error_kind::unreachable},
                                           refusal{413, "body_too_large", error_kind::too_long},
                                           refusal{415, "unsupported_media_type", error_kind::invalid_request},
                                           refusal{429, "queue_full", error_kind::busy},
                                           refusal{500, "internal_error", error_kind::internal},
                                           refusal{502, "upstream_error", error_kind::internal},
                                           refusal{503, "model_loading", error_kind::loading},
                                           refusal{503, "overloaded", error_kind::busy},
                                           refusal{503, "too_many_connections", error_kind::busy},
                                           refusal{503, "unavailable", error_kind::unreachable},
                                           refusal{504, "timeout", error_kind::timed_out}));

TEST(chat, of_a_node_that_went_away_is_unreachable) {
    std::optional<client> to;
    {
        const http_test_server node(node_that_says(ending()));
        to = connected(node);
    }
    const auto said = to->chat(hello());
    ASSERT_FALSE(said);
    expect_error(said.error(), error_kind::unreachable);
}

TEST(outcome, asking_it_wrongly_is_a_bug_that_shows) {
    outcome<int> good(3);
    EXPECT_EQ(*good, 3);
    EXPECT_THROW(static_cast<void>(good.error()), std::logic_error);
    outcome<int> bad(error{.kind = error_kind::busy, .message = "Later."});
    EXPECT_FALSE(bad);
    EXPECT_THROW(static_cast<void>(bad.value()), std::logic_error);
    EXPECT_EQ(std::move(bad).value_or(4), 4);
}

}  // namespace
}  // namespace starling::sdk
