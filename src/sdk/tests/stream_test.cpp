// Answers piece by piece: streaming, stopping from inside and from outside, and streams that end too early.
#include "sdk/tests/fake_node.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

namespace starling::sdk {
namespace {

using namespace std::chrono_literals;
using namespace test;

client connected(const http_test_server& node) {
    auto made = client::connect({.url = node.url()});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
}

bool soon(const std::atomic<int>& count, int wanted) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (count < wanted && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(2ms);
    }
    return count >= wanted;
}

/// Begins an answer, and counts the connections that the client closes before it is finished.
http_test_server::handler node_that_begins(std::string bytes, std::atomic<int>& begun, std::atomic<int>& closed) {
    return node_that([bytes = std::move(bytes), &begun, &closed](http_connection& c, const http_request&) {
        c.write(bytes.empty() ? std::string{} : stream_head() + bytes);
        ++begun;
        c.wait_for_close();  // hangs, and the test with it, when the connection stays open
        ++closed;
        c.close_after_this();
    });
}

class stream : public ::testing::Test {
  protected:
    std::atomic<int> begun = 0;
    std::atomic<int> closed = 0;
};

TEST_F(stream, gives_pieces_on_the_thread_that_asks) {
    const http_test_server node(node_that_says(text("Hel") + text("lo") + ending()));
    std::vector<std::string> pieces;
    std::thread::id where;
    const auto said = connected(node).chat(hello(), [&](const delta& piece) {
        pieces.push_back(piece.text);
        where = std::this_thread::get_id();
        return true;
    });
    ASSERT_TRUE(said);
    EXPECT_EQ(pieces, (std::vector<std::string>{"Hel", "lo"}));
    EXPECT_EQ(said->text, "Hello");
    EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(stream, is_pulled_by_its_reader) {
    const http_test_server node(node_that_says(text("one ") + text("two") + ending("length")));
    auto pulled = connected(node).stream(hello());  // outlives its client
    ASSERT_TRUE(pulled);
    EXPECT_EQ(pulled->next()->text, "one ");
    EXPECT_EQ(pulled->next()->text, "two");
    EXPECT_FALSE(pulled->next());
    EXPECT_FALSE(pulled->next());
    const auto said = pulled->result();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->text, "one two");
    EXPECT_EQ(said->finish_reason, finish_reason::length);
    EXPECT_EQ(pulled->result()->text, "one two");
}

TEST_F(stream, comes_before_its_end) {
    const http_test_server node(node_that_begins(text("first"), begun, closed));
    {
        auto pulled = connected(node).stream(hello());
        ASSERT_TRUE(pulled);
        EXPECT_EQ(pulled->next()->text, "first");
        EXPECT_EQ(closed, 0);
    }
    EXPECT_TRUE(soon(closed, 1)) << "a stream that is dropped closes its connection";
}

TEST_F(stream, ends_when_the_callback_says_so) {
    const http_test_server node(node_that_begins(text("one") + text("two"), begun, closed));
    const auto to = connected(node);
    int calls = 0;
    const auto said = to.chat(hello(), [&](const delta&) { return ++calls < 2; });
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::cancelled);
    ASSERT_TRUE(said.error().received);
    EXPECT_EQ(said.error().received->text, "onetwo");
    EXPECT_EQ(said.error().received->usage.completion_tokens, 2);
    EXPECT_EQ(said.error().received->finish_reason, finish_reason::unfinished);
    EXPECT_EQ(said.error().received->served_by, node_id);
    EXPECT_EQ(calls, 2);
    EXPECT_TRUE(soon(closed, 1));
}

TEST_F(stream, what_the_callback_throws_ends_it_and_comes_out) {
    const http_test_server node(node_that_begins(text("one"), begun, closed));
    const auto to = connected(node);
    EXPECT_THROW(static_cast<void>(to.chat(hello(), [](const delta&) -> bool { throw 7; })), int);
    EXPECT_TRUE(soon(closed, 1));
}

TEST_F(stream, is_stopped_from_another_thread) {
    const http_test_server node(node_that_begins(text("one"), begun, closed));
    const auto to = connected(node);
    std::stop_source stop;
    std::atomic<int> got = 0;
    std::jthread stopper([&] {
        EXPECT_TRUE(soon(got, 1));
        stop.request_stop();
    });
    const auto count = [&](const delta&) { return ++got > 0; };
    const auto said = to.chat(hello(), count, stop.get_token());
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::cancelled);
    ASSERT_TRUE(said.error().received);
    EXPECT_EQ(said.error().received->text, "one");
    EXPECT_TRUE(soon(closed, 1));
}

TEST_F(stream, is_stopped_while_the_node_has_not_answered_yet) {
    const http_test_server node(node_that_begins({}, begun, closed));
    const auto to = connected(node);
    std::stop_source stop;
    std::jthread stopper([&] {
        EXPECT_TRUE(soon(begun, 1));
        stop.request_stop();
    });
    const auto said = to.chat(hello(), stop.get_token());
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::cancelled);
    EXPECT_EQ(said.error().received, nullptr);
    EXPECT_TRUE(soon(closed, 1));
}

TEST_F(stream, that_was_stopped_beforehand_asks_nobody) {
    const http_test_server node(node_that_begins(text("one"), begun, closed));
    const auto to = connected(node);
    std::stop_source stop;
    stop.request_stop();
    const auto said = to.chat(hello(), stop.get_token());
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::cancelled);
    EXPECT_EQ(begun, 0);
}

TEST_F(stream, is_stopped_at_any_moment) {
    std::string many;
    for (int i = 0; i < 40; ++i) {
        many += text("x");
    }
    const http_test_server node(node_that_says(many + ending()));
    const auto to = connected(node);
    for (int i = 0; i < 60; ++i) {
        std::stop_source stop;
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(i * 50));
            stop.request_stop();
        });
        const auto said = to.chat(hello(), stop.get_token());
        EXPECT_TRUE(said || said.error().kind == error_kind::cancelled) << said.error().message;
        EXPECT_TRUE(!said || said->text.size() == 40U);
    }
}

TEST_F(stream, that_is_cut_off_is_interrupted_and_tells_what_got_through) {
    const http_test_server node(node_that_says(text("a") + text("b") + text("c")));
    const auto said = connected(node).chat(hello());
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::interrupted);
    EXPECT_NE(said.error().message.find(node.url()), std::string::npos) << said.error().message;
    ASSERT_TRUE(said.error().received);
    EXPECT_EQ(said.error().received->text, "abc");
    EXPECT_EQ(said.error().received->usage.completion_tokens, 3);
}

TEST_F(stream, that_the_node_gives_up_is_interrupted_with_its_words) {
    const http_test_server node(node_that_says(
        text("a") + "data: {\"error\":{\"message\":\"The worker died.\",\"code\":\"unavailable\"}}\n\n"));
    const auto said = connected(node).chat(hello());
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::interrupted);
    EXPECT_NE(said.error().message.find("The worker died."), std::string::npos) << said.error().message;
    EXPECT_EQ(said.error().received->text, "a");
}

TEST_F(stream, ends_when_its_time_is_over) {
    const http_test_server node(node_that_begins(text("one"), begun, closed));
    auto request = hello();
    request.timeout = 200ms;
    const auto said = connected(node).chat(request);
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, error_kind::timed_out);
    EXPECT_EQ(said.error().received->text, "one");
    EXPECT_TRUE(soon(closed, 1));
}

TEST_F(stream, many_threads_share_one_client) {
    const http_test_server node(node_that([](http_connection& c, const http_request& request) {
        c.write(stream_head());
        const auto at = request.body.find("word-");
        for (const char letter : request.body.substr(at, 6)) {
            c.write(text(std::string(1, letter)));
        }
        c.write(ending());
        c.close_after_this();
    }));
    const auto to = connected(node);
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> threads;
        for (char name = 'a'; name < 'i'; ++name) {
            threads.emplace_back([&to, &right, name] {
                for (int i = 0; i < 5; ++i) {
                    const std::string word = std::string("word-") + name;
                    const auto said = to.chat({.messages = {{.content = word}}});
                    right += said && said->text == word ? 1 : 0;
                }
            });
        }
    }
    EXPECT_EQ(right, 40);
}

}  // namespace
}  // namespace starling::sdk
