#include "api/api.hpp"

#include "api/tests/scripted_generator.hpp"
#include "http/tests/network_thread.hpp"
#include "http/tests/raw_client.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <mutex>

namespace starling::api {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using http::testing::eventually;
using http::testing::raw_client;

constexpr std::string_view hello = R"({"messages":[{"role":"user","content":"hi"}]})";

std::string status_of(const std::string& response) {
    return response.size() < 12 ? "" : response.substr(9, 3);
}

std::string body_of(const std::string& response) {
    const auto head = response.find("\r\n\r\n");
    return head == std::string::npos ? "" : response.substr(head + 4);
}

/// The payload of a chunked body.
std::string unchunked(std::string body) {
    std::string out;
    while (!body.empty()) {
        const auto line = body.find("\r\n");
        const auto size = std::stoul(body.substr(0, line), nullptr, 16);
        out += body.substr(line + 2, size);
        body.erase(0, line + 2 + size + 2);
    }
    return out;
}

std::vector<std::string> events_of(const std::string& response) {
    auto text = unchunked(body_of(response));
    std::vector<std::string> events;
    for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
        events.push_back(text.substr(0, end));
        text.erase(0, end + 2);
    }
    EXPECT_TRUE(text.empty()) << text;
    return events;
}

json::object event(const std::string& text) {
    return json::parse(text.substr(6)).as_object();
}

class api_server : public ::testing::Test {
  protected:
    void SetUp() override {
        generator_ = std::make_shared<testing::scripted_generator>(script_);
        models_.announce("scripted", "/models/scripted.gguf");
        models_.set_ready("scripted", generator_);
        options_.port = 0;
        options_.limits.drain = 200ms;
        start();
    }

    void start() {
        node_facts facts;
        facts.node_id = std::string(64, 'a');
        facts.name = "test";
        facts.version = "1.2.3";
        facts.role = "worker";
        facts.random = [this] { return ++random_; };
        server_ = std::make_unique<server>(network_.io.get_executor(), options_, models_, facts,
                                           [this](const access_entry& entry) {
                                               const std::lock_guard lock(log_mutex_);
                                               log_.push_back(entry);
                                           });
        const auto port = network_.call([this] { return server_->start(); });
        ASSERT_TRUE(port.has_value()) << port.error().message;
        port_ = *port;
    }

    void restart() {
        network_.await(server_->stop());
        start();
    }

    void TearDown() override {
        network_.await(server_->stop());
        EXPECT_EQ(generator_->alive, 0);
        network_.call([this] { server_.reset(); });
    }

    std::string get(std::string_view path, std::string_view more = "", std::string_view method = "GET") {
        raw_client client(port_);
        client.head_only = method == "HEAD";
        client.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nhost: localhost\r\n" +
                    std::string(more) + "\r\n");
        return client.read_response();
    }

    static std::string post_text(std::string_view path, std::string_view body, std::string_view more = "") {
        return "POST " + std::string(path) + " HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
               std::string(more) + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    }

    std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
        raw_client client(port_);
        client.send(post_text(path, body, more));
        return client.read_response();
    }

    std::string chat(std::string_view more) {
        return post("/v1/chat/completions",
                    R"({"messages":[{"role":"user","content":"hi"}],)" + std::string(more) + "}");
    }

    /// What the engine was asked so far.
    std::vector<engine::generate_request> asked() {
        return network_.call([&] { return generator_->requests; });
    }

    access_entry last_log() {
        const std::lock_guard lock(log_mutex_);
        return log_.empty() ? access_entry{} : log_.back();
    }

    testing::script script_;
    std::shared_ptr<testing::scripted_generator> generator_;
    route::model_table models_;
    options options_;
    std::uint64_t random_ = 0;
    std::mutex log_mutex_;
    std::vector<access_entry> log_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    http::testing::network_thread network_;
};

TEST_F(api_server, a_chat_is_answered) {
    const auto response = post("/v1/chat/completions", hello);
    EXPECT_EQ(status_of(response), "200");
    EXPECT_NE(response.find("x-starling-node: " + std::string(64, 'a')), std::string::npos);
    EXPECT_NE(response.find("x-request-id: req-"), std::string::npos);
    const auto root = json::parse(body_of(response)).as_object();
    EXPECT_EQ(root.at("choices").at(0).at("message").at("content"), "Hello, world!");
    EXPECT_EQ(root.at("model"), "scripted");
    EXPECT_EQ(root.at("usage").at("prompt_tokens"), 7);
    EXPECT_TRUE(eventually([&] { return last_log().status == 200; }));
    EXPECT_EQ(last_log().model, "scripted");
    EXPECT_EQ(last_log().completion_tokens, 4);
}

TEST_F(api_server, a_stream_is_events_with_usage_and_an_end) {
    const auto response = chat(R"("stream":true,"stream_options":{"include_usage":true})");
    EXPECT_NE(response.find("content-type: text/event-stream"), std::string::npos);
    const auto events = events_of(response);
    ASSERT_EQ(events.size(), 8U) << response;
    EXPECT_EQ(event(events[1]).at("choices").at(0).at("delta").at("content"), "Hello");
    EXPECT_EQ(event(events[5]).at("choices").at(0).at("finish_reason"), "stop");
    EXPECT_EQ(event(events[6]).at("usage").at("completion_tokens"), 4);
    EXPECT_EQ(events[7], "data: [DONE]");
}

TEST_F(api_server, choices_have_seeds_that_follow_each_other) {
    const auto root = json::parse(body_of(chat(R"("n":3,"seed":100)"))).as_object();
    ASSERT_EQ(root.at("choices").as_array().size(), 3U);
    ASSERT_EQ(asked().size(), 3U);
    EXPECT_EQ(asked()[2].sampling.seed, 102U);
    EXPECT_EQ(root.at("usage").at("prompt_tokens"), 7) << "the prompt counts once";
    EXPECT_EQ(root.at("usage").at("completion_tokens"), 12);
}

TEST_F(api_server, several_choices_share_one_stream) {
    network_.call([&] { script_.pause_ms = 1; });
    const auto events = events_of(chat(R"("n":2,"stream":true)"));
    std::string text[2];
    for (const auto& line : events) {
        if (line == "data: [DONE]") {
            continue;
        }
        const auto root = event(line);
        const auto& choice = root.at("choices").at(0).as_object();
        if (const auto* content = choice.at("delta").as_object().if_contains("content")) {
            text[choice.at("index").as_int64()] += content->as_string();
        }
    }
    EXPECT_EQ(text[0], "Hello, world!");
    EXPECT_EQ(text[1], "Hello, world!");
    EXPECT_EQ(events.back(), "data: [DONE]");
}

TEST_F(api_server, a_seed_is_drawn_when_none_is_given) {
    post("/v1/chat/completions", hello);
    post("/v1/chat/completions", hello);
    ASSERT_EQ(asked().size(), 2U);
    EXPECT_NE(asked()[0].sampling.seed, asked()[1].sampling.seed);
}

TEST_F(api_server, prompts_times_choices_and_echo) {
    const auto root =
        json::parse(body_of(post("/v1/completions", R"({"prompt":["a","b"],"n":2,"seed":1,"echo":true})"))).as_object();
    ASSERT_EQ(root.at("choices").as_array().size(), 4U);
    EXPECT_EQ(root.at("choices").at(0).at("text"), "aHello, world!");
    EXPECT_EQ(root.at("choices").at(3).at("text"), "bHello, world!");
    EXPECT_EQ(root.at("usage").at("prompt_tokens"), 14);
    EXPECT_EQ(asked()[3].sampling.seed, 4U);
    const auto events = events_of(post("/v1/completions", R"({"prompt":"a","echo":true,"stream":true})"));
    EXPECT_EQ(event(events.at(0)).at("choices").at(0).at("text"), "a");
}

TEST_F(api_server, tool_calls_are_in_the_answer) {
    network_.call([&] { script_.words.clear(); });
    network_.call([&] { script_.tool_calls = {{0, "c1", "f", "{\"x\":1}"}}; });
    network_.call([&] { script_.reason = engine::finish_reason::tool_calls; });
    const auto root = json::parse(body_of(post("/v1/chat/completions", hello))).as_object();
    EXPECT_EQ(root.at("choices").at(0).at("message").at("tool_calls").at(0).at("function").at("name"), "f");
    EXPECT_TRUE(root.at("choices").at(0).at("message").at("content").is_null());
    EXPECT_EQ(root.at("choices").at(0).at("finish_reason"), "tool_calls");
}

TEST_F(api_server, embeddings_are_answered_in_both_encodings) {
    const auto floats = json::parse(body_of(post("/v1/embeddings", R"({"input":["a","b"]})"))).as_object();
    EXPECT_EQ(floats.at("data").as_array().size(), 2U);
    EXPECT_EQ(floats.at("usage").at("prompt_tokens"), 5);
    const auto coded =
        json::parse(body_of(post("/v1/embeddings", R"({"input":"a","encoding_format":"base64"})"))).as_object();
    EXPECT_EQ(coded.at("data").at(0).at("embedding"), "AACAPwAAAAAAAAAA");
    EXPECT_EQ(status_of(post("/v1/embeddings", R"({"input":"a","dimensions":3})")), "200");
    EXPECT_EQ(status_of(post("/v1/embeddings", R"({"input":"a","dimensions":4})")), "400");
}

TEST_F(api_server, refusals_of_the_engine_have_their_statuses) {
    const std::pair<engine::errc, std::string> table[] = {
        {engine::errc::prompt_too_long, "400"}, {engine::errc::invalid_request, "400"},
        {engine::errc::queue_full, "429"},      {engine::errc::loading, "503"},
        {engine::errc::unavailable, "503"},     {engine::errc::upstream_error, "502"},
        {engine::errc::deadline, "504"},        {engine::errc::internal, "500"}};
    for (const auto& [code, status] : table) {
        network_.call([&] { script_.refusal = fail(code, "the words of the engine"); });
        for (const auto& response :
             {chat(R"("stream":false)"), chat(R"("stream":true)"), post("/v1/embeddings", R"({"input":"a"})")}) {
            EXPECT_EQ(status_of(response), status);
            EXPECT_EQ(response.find("words of the engine") == std::string::npos, code == engine::errc::internal);
            EXPECT_EQ(response.find("retry-after: ") != std::string::npos, status == "429" || status == "503");
        }
    }
}

TEST_F(api_server, an_error_in_mid_stream_is_an_event_and_the_end) {
    network_.call([&] { script_.failure = fail(engine::errc::unavailable, "The engine was stopped."); });
    const auto events = events_of(chat(R"("stream":true)"));
    EXPECT_EQ(event(events.back()).at("error").at("message"), "The engine was stopped.");
    EXPECT_EQ(event(events.back()).at("error").at("code"), "unavailable");
    EXPECT_EQ(status_of(chat(R"("stream":false)")), "503");
}

TEST_F(api_server, one_failing_choice_ends_them_all) {
    network_.call([&] { script_.failure = fail(engine::errc::unavailable, "The engine was stopped."); });
    EXPECT_EQ(status_of(chat(R"("n":4)")), "503");
    EXPECT_TRUE(eventually([&] { return generator_->alive == 0; }));
}

TEST_F(api_server, leaving_drops_every_stream_at_once) {
    network_.call([&] { script_.never_ends = true; });
    for (const auto* more : {R"("stream":true)", R"("stream":false)", R"("n":3)", R"("n":3,"stream":true)"}) {
        raw_client client(port_);
        client.send(post_text("/v1/chat/completions",
                              R"({"messages":[{"role":"user","content":"hi"}],)" + std::string(more) + "}"));
        ASSERT_TRUE(eventually([&] { return generator_->alive > 0; })) << more;
        client.close();
        EXPECT_TRUE(eventually([&] { return generator_->alive == 0; })) << more;
        EXPECT_TRUE(eventually([&] { return last_log().status == 499; })) << more;
    }
}

TEST_F(api_server, a_waiting_stream_is_kept_open_with_comments) {
    options_.sse_comment_every = 20ms;
    network_.call([&] { script_.never_ends = true; });
    restart();
    raw_client client(port_);
    client.send(post_text("/v1/chat/completions", R"({"stream":true,"messages":[{"role":"user","content":"hi"}]})"));
    EXPECT_TRUE(client.read_until(": waiting\n\n"));
    client.received.clear();
    EXPECT_TRUE(client.read_until(": waiting\n\n"));
}

TEST_F(api_server, stopping_ends_streams_that_never_end) {
    network_.call([&] { script_.never_ends = true; });
    raw_client client(port_);
    client.send(post_text("/v1/chat/completions", R"({"stream":true,"messages":[{"role":"user","content":"hi"}]})"));
    ASSERT_TRUE(client.read_until("world"));
    network_.await(server_->stop());
    EXPECT_EQ(generator_->alive, 0);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(api_server, bad_requests_name_the_field) {
    const auto response = chat(R"("temperature":"hot")");
    EXPECT_EQ(status_of(response), "400");
    const auto body = json::parse(body_of(response)).at("error").as_object();
    EXPECT_EQ(body.at("param"), "temperature");
    EXPECT_EQ(body.at("type"), "invalid_request_error");
    EXPECT_EQ(status_of(post("/v1/chat/completions", "{")), "400");
    EXPECT_EQ(status_of(post("/v1/completions", "{}")), "400");
    EXPECT_EQ(status_of(post("/v1/embeddings", "[]")), "400");
    EXPECT_TRUE(asked().empty());
}

TEST_F(api_server, models_that_are_unknown_loading_or_broken) {
    network_.call([&] { models_.announce("big", "x"); });
    network_.call([&] { models_.announce("bad", "y"); });
    network_.call([&] { models_.set_progress("big", 0.4F); });
    network_.call([&] { models_.set_failed("bad", fail(engine::errc::internal, "It is truncated.")); });
    EXPECT_EQ(status_of(chat(R"("model":"nobody")")), "404");
    const auto loading = chat(R"("model":"big")");
    EXPECT_EQ(status_of(loading), "503");
    EXPECT_NE(loading.find("retry-after: "), std::string::npos);
    EXPECT_NE(loading.find("40 %"), std::string::npos);
    EXPECT_EQ(status_of(chat(R"("model":"bad")")), "503");
    EXPECT_EQ(status_of(chat(R"("model":"auto")")), "200");
    const auto list = json::parse(body_of(get("/v1/models"))).at("data").as_array();
    EXPECT_EQ(list.size(), 2U) << "those that can be used, now or soon";
    EXPECT_EQ(status_of(get("/v1/models/big")), "200");
    EXPECT_EQ(status_of(get("/v1/models/nobody")), "404");
}

TEST_F(api_server, a_model_whose_name_has_slashes_is_found) {
    network_.call([&] { models_.announce("hf://a/b/c.gguf", "x"); });
    network_.call([&] { models_.set_ready("hf://a/b/c.gguf", generator_); });
    EXPECT_EQ(status_of(get("/v1/models/hf://a/b/c.gguf")), "200");
    EXPECT_EQ(status_of(get("/v1/models/hf%3A%2F%2Fa%2Fb%2Fc.gguf")), "200");
}

TEST_F(api_server, health_follows_the_models) {
    EXPECT_EQ(status_of(get("/health")), "200");
    network_.call([&] { models_.announce("scripted", "again"); });
    const auto loading = get("/health");
    EXPECT_EQ(status_of(loading), "503");
    EXPECT_NE(loading.find("\"status\":\"loading\""), std::string::npos);
    EXPECT_NE(loading.find("retry-after"), std::string::npos);
    network_.call([&] { models_.set_failed("scripted", fail(engine::errc::internal, "x")); });
    EXPECT_NE(get("/health").find("\"status\":\"failed\""), std::string::npos);
    network_.call([&] { models_.remove("scripted"); });
    EXPECT_EQ(status_of(get("/health")), "200") << "an idle node is well";
}

TEST_F(api_server, status_peers_and_deployments_have_the_promised_fields) {
    chat(R"("n":1)");
    const auto status = json::parse(body_of(get("/api/status"))).as_object();
    for (const auto* key :
         {"node_id", "name", "version", "mesh_id", "role", "health", "models", "engine", "uptime_s"}) {
        EXPECT_TRUE(status.contains(key)) << key;
    }
    EXPECT_EQ(status.at("health").at("state"), "healthy");
    EXPECT_EQ(status.at("models").at(0).at("requests"), 1);
    EXPECT_EQ(status.at("engine").at("slots"), 4);
    const auto deployment = json::parse(body_of(get("/api/deployments"))).at(0).as_object();
    EXPECT_EQ(deployment.at("stages").at(0).at("last_layer"), 3);
    EXPECT_EQ(deployment.at("stages").at(0).at("memory_bytes"), 1234);
    EXPECT_EQ(deployment.at("coordinator").as_string(), std::string(64, 'a'));
    const auto peer = json::parse(body_of(get("/api/peers"))).at(0).as_object();
    EXPECT_EQ(peer.at("path"), "local");
    EXPECT_EQ(peer.at("models"), (json::array{"scripted"}));
}

TEST_F(api_server, metrics_have_counts_and_states) {
    chat(R"("n":1)");
    chat(R"("n":"x")");
    const auto text = body_of(get("/metrics"));
    for (const auto* line :
         {R"(starling_http_requests_total{route="/v1/chat/completions",status="200"} 1)",
          R"(starling_http_requests_total{route="/v1/chat/completions",status="400"} 1)",
          R"(starling_generated_tokens_total{model="scripted"} 4)",
          R"(starling_draft_tokens_total{model="scripted",result="accepted"} 21)",
          R"(starling_draft_tokens_total{model="scripted",result="rejected"} 9)",
          R"(starling_model_state{model="scripted",state="ready"} 1)", R"(starling_slots{model="scripted"} 4)",
          R"(starling_time_to_first_token_seconds_count{model="scripted"} 1)"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
}

TEST_F(api_server, metrics_begin_at_zero) {
    const auto text = body_of(get("/metrics"));
    for (const auto* line : {R"(starling_http_requests_total{route="/v1/chat/completions",status="429"} 0)",
                             R"(starling_http_request_duration_seconds_count{route="/v1/embeddings"} 0)",
                             R"(starling_generated_tokens_total{model="scripted"} 0)",
                             R"(starling_time_to_first_token_seconds_count{model="scripted"} 0)"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
}

TEST_F(api_server, routes_methods_and_types) {
    EXPECT_EQ(status_of(get("/nothing")), "404");
    const auto wrong = get("/v1/chat/completions");
    EXPECT_EQ(status_of(wrong), "405");
    EXPECT_NE(wrong.find("allow: POST"), std::string::npos);
    EXPECT_EQ(status_of(get("/health", "", "DELETE")), "405");
    EXPECT_EQ(status_of(get("/health", "", "HEAD")), "200");
    EXPECT_EQ(status_of(get("/", "", "GET")), "200");
    raw_client client(port_);
    client.send(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\ncontent-length: 0\r\n\r\n");
    EXPECT_EQ(status_of(client.read_response()), "415");
}

TEST_F(api_server, a_stream_says_where_it_goes_on_and_a_whole_answer_does_not) {
    script_.moves_after = 2;
    const auto events = events_of(chat(R"("stream":true)"));
    ASSERT_EQ(events.size(), 8U);  // role, two words, the move, two words, the end, [DONE]
    const auto move = event(events[3]);
    EXPECT_EQ(move.at("starling").at("moved_to").at("node_id"), "bbbb");
    EXPECT_EQ(move.at("starling").at("cause"), "a \"cut\"");
    EXPECT_TRUE(move.at("choices").at(0).at("delta").as_object().empty());
    EXPECT_TRUE(move.at("choices").at(0).at("finish_reason").is_null());
    for (const std::size_t other : {0U, 1U, 2U, 4U, 5U, 6U}) {
        EXPECT_FALSE(event(events[other]).contains("starling")) << other;
    }
    EXPECT_EQ(chat(R"("stream":false)").find("starling\":"), std::string::npos);
    const auto with_usage = events_of(chat(R"("stream":true,"stream_options":{"include_usage":true})"));
    EXPECT_TRUE(event(with_usage[3]).at("usage").is_null());
    EXPECT_TRUE(event(with_usage[3]).contains("starling"));
}

TEST_F(api_server, a_stream_says_who_has_a_part_of_the_model_now) {
    script_.part_moves_after = 2;
    const auto events = events_of(chat(R"("stream":true)"));
    ASSERT_EQ(events.size(), 8U);
    const auto move = event(events[3]);
    EXPECT_EQ(move.at("starling").at("moved_to").at("node_id"), "cccc");
    EXPECT_EQ(move.at("starling").at("cause"), "attic: it was lost");
    EXPECT_FALSE(event(events[2]).contains("starling"));
    EXPECT_FALSE(event(events[4]).contains("starling"));
}

TEST_F(api_server, a_headless_node_has_no_page) {
    options_.console = false;
    restart();
    EXPECT_EQ(status_of(get("/")), "404");
    EXPECT_EQ(status_of(get("/health")), "200");
}

TEST_F(api_server, keys_are_asked_for_everywhere_but_health_and_the_start_page) {
    options_.api_keys = {"first-key", "second-key"};
    restart();
    EXPECT_EQ(status_of(get("/v1/models")), "401");
    EXPECT_EQ(status_of(get("/v1/models", "authorization: Bearer first-ke\r\n")), "401");
    EXPECT_EQ(status_of(get("/v1/models", "authorization: Bearer first-keys\r\n")), "401");
    EXPECT_EQ(status_of(get("/v1/models", "authorization: Bearer second-key\r\n")), "200");
    EXPECT_EQ(status_of(get("/v1/models", "Authorization: bearer first-key\r\n")), "200");
    EXPECT_EQ(status_of(get("/nothing")), "401");
    EXPECT_EQ(status_of(get("/health")), "200");
    EXPECT_EQ(status_of(get("/")), "200");
    EXPECT_EQ(status_of(get("/metrics")), "401");
    EXPECT_NE(get("/metrics").find("www-authenticate: Bearer"), std::string::npos);
}

TEST_F(api_server, origins_on_the_list_are_let_in_and_others_are_not) {
    options_.cors_origins = {"https://app.example"};
    restart();
    const auto preflight = get("/v1/chat/completions",
                               "origin: https://app.example\r\naccess-control-request-method: POST\r\n"
                               "access-control-request-headers: x-stainless-os, authorization\r\n",
                               "OPTIONS");
    EXPECT_EQ(status_of(preflight), "204");
    EXPECT_NE(preflight.find("access-control-allow-origin: https://app.example"), std::string::npos);
    EXPECT_NE(preflight.find("access-control-allow-headers: x-stainless-os, authorization"), std::string::npos);
    EXPECT_NE(
        post("/v1/chat/completions", hello, "origin: https://app.example\r\n").find("access-control-allow-origin"),
        std::string::npos);
    EXPECT_EQ(status_of(post("/v1/chat/completions", hello, "origin: https://evil.example\r\n")), "403");
    EXPECT_EQ(status_of(post("/v1/chat/completions", hello, "origin: null\r\n")), "403");
    EXPECT_EQ(status_of(post("/v1/chat/completions", hello, "origin: http://localhost\r\n")), "200") << "our own page";
    EXPECT_EQ(get("/v1/models", "origin: https://evil.example\r\n").find("access-control-allow-origin"),
              std::string::npos);
    EXPECT_EQ(status_of(get("/v1/models", "origin: https://evil.example\r\n", "OPTIONS")), "403");
}

TEST_F(api_server, a_foreign_host_name_is_refused_while_no_key_is_asked_for) {
    raw_client client(port_);
    client.send("GET /v1/models HTTP/1.1\r\nhost: rebound.example:9337\r\n\r\n");
    EXPECT_EQ(status_of(client.read_response()), "403");
    for (const auto* host : {"127.0.0.1:9337", "[::1]:9337", "localhost", "LOCALHOST:1"}) {
        raw_client local(port_);
        local.send("GET /v1/models HTTP/1.1\r\nhost: " + std::string(host) + "\r\n\r\n");
        EXPECT_EQ(status_of(local.read_response()), "200") << host;
    }
}

TEST_F(api_server, request_ids_are_kept_when_they_are_harmless) {
    EXPECT_NE(get("/health", "x-request-id: abc-1.2_3\r\n").find("x-request-id: abc-1.2_3\r\n"), std::string::npos);
    EXPECT_NE(get("/health", "x-request-id: a b\r\n").find("x-request-id: req-"), std::string::npos);
}

TEST_F(api_server, errors_of_the_http_layer_are_error_objects_too) {
    raw_client client(port_);
    client.send("nonsense\r\n\r\n");
    const auto response = client.read_response();
    EXPECT_EQ(status_of(response), "400");
    EXPECT_EQ(json::parse(body_of(response)).at("error").at("code"), "malformed_http");
}

}  // namespace
}  // namespace starling::api
