// The generator against a scripted server: what goes out, what comes back, and what happens when the server misbehaves.
#include "upstream/upstream.hpp"

#include "fetch/tests/http_test_server.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <optional>

namespace starling::upstream {
namespace {

using namespace std::chrono_literals;
using test::http_connection;
using test::http_request;
using test::http_test_server;
namespace asio = boost::asio;

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

std::string delta(std::string_view text) {
    return "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(text) + "\"}}]}\n\n";
}

constexpr std::string_view stop_and_done =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

struct outcome {
    std::string content;
    std::optional<engine::finished> finished;
    std::optional<error> failed;
    engine::provenance from;
};

awaitable<void> collect(std::shared_ptr<engine::generator> from, engine::generate_request request,
                        aio::call_context call, std::size_t stop_after, outcome& out) {
    auto stream = co_await from->generate(std::move(request), std::move(call));
    if (!stream) {
        out.failed = stream.error();
        co_return;
    }
    out.from = (*stream)->from();
    for (std::size_t events = 0; events < stop_after; ++events) {
        auto event = co_await (*stream)->next();
        if (!event) {
            out.failed = event.error();
            co_return;
        }
        if (auto* chunk = std::get_if<engine::chunk>(&*event)) {
            out.content += chunk->content;
        } else {
            out.finished = std::get<engine::finished>(*event);
            co_return;
        }
    }
}

awaitable<void> collect_embedding(std::shared_ptr<engine::generator> from, engine::embed_request request,
                                  std::optional<result<engine::embedding_result>>& out) {
    aio::call_context call;  // named: gcc 12 copies a braced temporary of a co_await expression bit by bit
    out = co_await from->embed(std::move(request), std::move(call));
}

awaitable<void> collect_models(options settings, fetch::client& client,
                               std::optional<result<std::vector<std::string>>>& out) {
    out = co_await list_models(std::move(settings), client);
}

class upstream_test : public ::testing::Test {
  protected:
    void SetUp() override {
        auto made = fetch::client::create();
        ASSERT_TRUE(made);
        client_ = std::move(*made);
    }

    static options settings_for(std::string url, std::string key = {}) {
        options out;
        out.id = "here";
        out.base_url = std::move(url);
        out.model = "there";
        out.api_key = std::move(key);
        return out;
    }

    std::shared_ptr<engine::generator> generator(const http_test_server& server, std::string key = {}) {
        auto made = create(settings_for(server.url(), std::move(key)), *client_);
        EXPECT_TRUE(made);
        return *made;
    }

    static engine::generate_request hello() {
        engine::message message;
        message.content = "Hi";
        engine::chat_prompt prompt;
        prompt.messages.push_back(message);
        engine::generate_request request;
        request.prompt = std::move(prompt);
        return request;
    }

    outcome run(std::shared_ptr<engine::generator> from, engine::generate_request request, aio::call_context call = {},
                std::size_t stop_after = 1000) {
        outcome out;
        asio::io_context io;
        asio::co_spawn(io, collect(std::move(from), std::move(request), std::move(call), stop_after, out),
                       asio::detached);
        io.run();
        return out;
    }

    std::unique_ptr<fetch::client> client_;
};

TEST_F(upstream_test, streams_an_answer) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write(stream_head);
        const std::string body = delta("Hel") + delta("lo") + std::string(stop_and_done);
        for (const char byte : body) {  // one byte at a time: any cut must do
            c.write(std::string_view(&byte, 1));
        }
        c.close_after_this();
    });
    const auto from = generator(server, "sk-key");
    const outcome got = run(from, hello());
    ASSERT_FALSE(got.failed) << got.failed->message;
    EXPECT_EQ(got.content, "Hello");
    EXPECT_EQ(got.finished->usage.prompt_tokens, 5);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].path, "/v1/chat/completions");
    EXPECT_EQ(requests[0].header("authorization"), "Bearer sk-key");
    EXPECT_NE(requests[0].body.find("\"model\":\"there\""), std::string::npos);
    EXPECT_EQ(from->load().busy, 0);
    EXPECT_EQ(from->load().generated_tokens, 2U);
    EXPECT_EQ(from->load().cancelled, 0U);
    EXPECT_EQ(from->info().id, "here");
}

TEST_F(upstream_test, tells_which_node_has_answered) {
    const std::string node(64, 'a');
    std::string header;
    const http_test_server server([&header](http_connection& c, const http_request&) {
        c.answer(200, R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]})", header);
    });
    const auto from = generator(server);
    EXPECT_EQ(run(from, hello()).from.node, "") << "a server that is no Starling node";
    header = "X-Starling-Node: " + node + "\r\n";
    EXPECT_EQ(run(from, hello()).from.node, node);
    header = "X-Starling-Node: <script>\r\n";
    EXPECT_EQ(run(from, hello()).from.node, "") << "what is no node id is not passed on";
}

TEST_F(upstream_test, continues_text_through_the_other_endpoint) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write(stream_head);
        c.write("data: {\"choices\":[{\"text\":\" upon\",\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n");
        c.close_after_this();
    });
    engine::generate_request request;
    request.prompt = engine::text_prompt{"Once"};
    const outcome got = run(generator(server), request);
    EXPECT_EQ(got.content, " upon");
    EXPECT_EQ(got.finished->reason, engine::finish_reason::length);
    EXPECT_EQ(server.requests().at(0).path, "/v1/completions");
}

TEST_F(upstream_test, passes_errors_on) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.answer(429, R"({"error":{"message":"slow down please"}})", "Content-Type: application/json\r\n");
    });
    const outcome got = run(generator(server), hello());
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::queue_full);
    EXPECT_NE(got.failed->message.find("slow down please"), std::string::npos);
}

TEST_F(upstream_test, a_wrong_key_is_told_without_showing_it) {
    const http_test_server server([](http_connection& c, const http_request& request) {
        c.answer(401, R"({"error":{"message":"bad key )" + request.header("authorization") + "\"}}");
    });
    const outcome got = run(generator(server, "sk-very-secret"), hello());
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::upstream_error);
    EXPECT_EQ(got.failed->message.find("sk-very-secret"), std::string::npos) << got.failed->message;
}

TEST_F(upstream_test, a_connection_cut_in_mid_stream_is_an_error_after_the_text) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write(stream_head);
        c.write(delta("half"));
        c.close_after_this();
    });
    const outcome got = run(generator(server), hello());
    EXPECT_EQ(got.content, "half");
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::unavailable);
}

TEST_F(upstream_test, a_chunked_body_cut_in_mid_chunk_is_an_error_too) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        const std::string event = delta("x");
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", event.size());
        c.write(size + event + "\r\n400\r\ndata: {");
        c.close_after_this();
    });
    const outcome got = run(generator(server), hello());
    EXPECT_EQ(got.content, "x");
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::unavailable);
}

TEST_F(upstream_test, nobody_there_is_unavailable) {
    std::string url;
    {
        const http_test_server gone([](http_connection&, const http_request&) {});
        url = gone.url();
    }
    auto made = create(settings_for(url), *client_);
    ASSERT_TRUE(made);
    const outcome got = run(*made, hello());
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::unavailable);
    EXPECT_NE(got.failed->message.find(url), std::string::npos);
}

TEST_F(upstream_test, dropping_the_stream_closes_the_connection) {
    std::atomic<bool> closed = false;
    const http_test_server server([&closed](http_connection& c, const http_request&) {
        c.write(stream_head);
        c.write(delta("one"));
        c.wait_for_close();  // hangs, and the test with it, when the connection stays open
        closed = true;
        c.close_after_this();
    });
    const auto from = generator(server);
    const outcome got = run(from, hello(), {}, 1);
    EXPECT_EQ(got.content, "one");
    EXPECT_EQ(from->load().cancelled, 1U);
    EXPECT_EQ(from->load().busy, 0);
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!closed && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_TRUE(closed);
}

TEST_F(upstream_test, the_deadline_ends_a_silent_server) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write(stream_head);
        c.write(delta("one"));
        c.wait_for_close();
        c.close_after_this();
    });
    aio::call_context call;
    call.deadline = std::chrono::steady_clock::now() + 200ms;
    const outcome got = run(generator(server), hello(), call);
    EXPECT_EQ(got.content, "one");
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::deadline);
}

TEST_F(upstream_test, an_endless_line_is_cut_off) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.write(stream_head);
        const std::string piece(64 * 1024, 'x');
        while (c.write(piece)) {
        }
        c.close_after_this();
    });
    const outcome got = run(generator(server), hello());
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::upstream_error);
}

TEST_F(upstream_test, a_redirect_is_not_followed) {
    const http_test_server server(
        [](http_connection& c, const http_request&) { c.answer(302, "", "Location: http://127.0.0.1:1/\r\n"); });
    const outcome got = run(generator(server, "key"), hello());
    ASSERT_TRUE(got.failed);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(upstream_test, does_not_resume) {
    const http_test_server server([](http_connection&, const http_request&) {});
    auto request = hello();
    request.resume = {1, 2};
    const outcome got = run(generator(server), request);
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::unsupported);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(upstream_test, embeds) {
    const http_test_server server([](http_connection& c, const http_request&) {
        c.answer(200, R"({"data":[{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":2}})");
    });
    std::optional<result<engine::embedding_result>> got;
    asio::io_context io;
    engine::embed_request request;
    request.inputs.emplace_back("text");
    asio::co_spawn(io, collect_embedding(generator(server), request, got), asio::detached);
    io.run();
    ASSERT_TRUE(got && *got);
    EXPECT_FLOAT_EQ((**got).vectors[0][1], 0.8F);
    EXPECT_EQ(server.requests().at(0).path, "/v1/embeddings");
}

TEST_F(upstream_test, lists_models) {
    const http_test_server server(
        [](http_connection& c, const http_request&) { c.answer(200, R"({"data":[{"id":"a"},{"id":"b"},{}]})"); });
    std::optional<result<std::vector<std::string>>> got;
    asio::io_context io;
    asio::co_spawn(io, collect_models(settings_for(server.url()), *client_, got), asio::detached);
    io.run();
    ASSERT_TRUE(got && *got);
    EXPECT_EQ(**got, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace starling::upstream
