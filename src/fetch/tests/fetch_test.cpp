#include "fetch/fetch.hpp"

#include "fetch/tests/http_test_server.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <optional>

namespace starling::fetch {
namespace {

using namespace std::chrono_literals;
using test::http_connection;
using test::http_request;
using test::http_test_server;
namespace asio = boost::asio;

struct answer {
    response_head head;
    std::string body;
};

awaitable<void> store(client* from, request what, std::optional<result<answer>>* out) {
    auto opened = co_await from->open(std::move(what));
    if (!opened) {
        *out = opened.error();
        co_return;
    }
    auto body = co_await read_all(**opened, 64 << 20);
    if (!body) {
        *out = body.error();
        co_return;
    }
    *out = answer{(*opened)->head(), std::move(*body)};
}

class fetch_test : public ::testing::Test {
  protected:
    void SetUp() override {
        auto made = client::create();
        ASSERT_TRUE(made);
        client_ = std::move(*made);
    }

    result<answer> get(request what) {
        std::optional<result<answer>> out;
        asio::co_spawn(io_, store(client_.get(), std::move(what), &out), asio::detached);
        io_.restart();
        io_.run();
        return *out;
    }

    result<answer> get(std::string url) {
        request what;
        what.url = std::move(url);
        return get(std::move(what));
    }

    asio::io_context io_;
    std::unique_ptr<client> client_;
};

TEST_F(fetch_test, gives_status_headers_and_body) {
    http_test_server server(
        [](http_connection& to, const http_request&) { to.answer(200, "hello", "X-Thing:  Value \r\n"); });
    const auto got = get(server.url("/a"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->head.status, 200);
    EXPECT_EQ(got->head.header("x-thing"), "Value");
    EXPECT_EQ(got->head.header("x-missing"), "");
    EXPECT_EQ(got->head.final_url, server.url("/a"));
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(server.requests().at(0).header("user-agent").substr(0, 9), "starling/");
}

TEST_F(fetch_test, an_error_status_is_an_answer) {
    http_test_server server([](http_connection& to, const http_request&) { to.answer(404, "gone"); });
    const auto got = get(server.url("/"));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->head.status, 404);
    EXPECT_EQ(got->body, "gone");
}

TEST_F(fetch_test, sends_method_headers_and_body) {
    http_test_server server(
        [](http_connection& to, const http_request& from) { to.answer(200, from.method + " " + from.body); });
    request what;
    what.method = "POST";
    what.url = server.url("/v1/x");
    what.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    what.body = std::string(3 << 20, 'b');
    const auto got = get(what);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "POST " + what.body);
    EXPECT_EQ(server.requests().at(0).header("content-type"), "application/json");
    EXPECT_EQ(server.requests().at(0).header("expect"), "");
    EXPECT_EQ(server.requests().at(0).headers.count("x-empty"), 1U);

    what.method = "HEAD";
    what.body.clear();
    http_test_server head_server(
        [](http_connection& to, const http_request&) { to.write("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"); });
    what.url = head_server.url("/");
    const auto head = get(what);
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->head.header("content-length"), "12345");
    EXPECT_EQ(head->body, "");
}

TEST_F(fetch_test, follows_redirects_and_keeps_the_token_at_home) {
    http_test_server storage([](http_connection& to, const http_request&) { to.answer(200, "stored"); });
    http_test_server hub([&](http_connection& to, const http_request& from) {
        if (from.path == "/start") {
            to.answer(302, "ignored body", "Location: " + storage.url("/file") + "\r\n");
        } else {
            to.answer(302, "", "Location: /again\r\n");
        }
    });
    request what;
    what.url = hub.url("/start");
    what.headers = {{"Authorization", "Bearer secret"}};
    const auto got = get(what);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "stored");
    EXPECT_EQ(got->head.final_url, storage.url("/file"));
    EXPECT_EQ(hub.requests().at(0).header("authorization"), "Bearer secret");
    EXPECT_EQ(storage.requests().at(0).headers.count("authorization"), 0U);

    what.url = hub.url("/circle");
    const auto circle = get(what);
    ASSERT_FALSE(circle);
    EXPECT_TRUE(circle.error() == errc::bad_url) << circle.error().message;
    EXPECT_EQ(hub.requests().size(), 2U + max_redirects);

    what.follow_redirects = false;
    const auto stayed = get(what);
    ASSERT_TRUE(stayed);
    EXPECT_EQ(stayed->head.status, 302);
    EXPECT_EQ(stayed->head.header("location"), "/again");
}

TEST_F(fetch_test, a_redirect_leaves_http_for_no_other_protocol) {
    http_test_server server(
        [](http_connection& to, const http_request&) { to.answer(302, "", "Location: file:///etc/passwd\r\n"); });
    const auto got = get(server.url("/"));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::bad_url) << got.error().message;
}

TEST_F(fetch_test, refuses_what_is_not_http) {
    for (const char* url :
         {"file:///etc/passwd", "ftp://host/a", "host/path", "", "http://", "http://ho st/", "http://h/\r\nX: y"}) {
        const auto got = get(std::string(url));
        ASSERT_FALSE(got) << url;
        EXPECT_TRUE(got.error() == errc::bad_url) << url << ": " << got.error().message;
    }
    request what;
    what.url = "http://127.0.0.1:1/";
    what.headers = {{"Authorization", "Bearer a\r\nX: y"}};
    const auto got = get(what);
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::bad_url);
    EXPECT_EQ(got.error().message.find("Bearer"), std::string::npos);
}

TEST_F(fetch_test, says_that_nobody_listens) {
    int port = 0;
    {
        http_test_server server([](http_connection&, const http_request&) {});
        port = server.port();
    }
    const auto got = get("http://user:secret@127.0.0.1:" + std::to_string(port) + "/f?token=hidden");
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::cannot_connect) << got.error().message;
    EXPECT_EQ(got.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(got.error().message.find("hidden"), std::string::npos);
}

TEST_F(fetch_test, says_that_the_host_is_unknown) {
    // ".invalid" never resolves (RFC 2606); behind a proxy the proxy answers instead.
    if (std::getenv("http_proxy") != nullptr || std::getenv("all_proxy") != nullptr ||
        std::getenv("ALL_PROXY") != nullptr) {
        GTEST_SKIP() << "a proxy is set";
    }
    const auto got = get("http://nobody.invalid/");
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::cannot_resolve) << got.error().message;
}

TEST_F(fetch_test, says_that_the_answer_was_cut) {
    http_test_server server([](http_connection& to, const http_request& from) {
        if (from.path == "/half") {
            to.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        } else if (from.path == "/chunk") {
            to.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf");
        }
        to.close_after_this();
    });
    for (const char* path : {"/half", "/chunk", "/nothing"}) {
        const auto got = get(server.url(path));
        ASSERT_FALSE(got) << path;
        EXPECT_TRUE(got.error() == errc::cut) << path << ": " << got.error().message;
    }
}

TEST_F(fetch_test, idle_timeout) {
    http_test_server server([](http_connection& to, const http_request& from) {
        if (from.path == "/body") {
            to.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        }
        to.wait_for_close();
    });
    for (const char* path : {"/body", "/silent"}) {
        request what;
        what.url = server.url(path);
        what.idle_timeout = 100ms;
        const auto begin = std::chrono::steady_clock::now();
        const auto got = get(what);
        ASSERT_FALSE(got);
        EXPECT_TRUE(got.error() == errc::timed_out) << got.error().message;
        EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
    }
}

TEST_F(fetch_test, an_endless_head_is_refused) {
    http_test_server server([](http_connection& to, const http_request&) {
        to.write("HTTP/1.1 200 OK\r\n");
        while (to.write("X-Long: " + std::string(1000, 'x') + "\r\n")) {
        }
    });
    const auto got = get(server.url("/"));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::too_large) << got.error().message;
}

awaitable<void> read_slowly(client* from, std::string url, std::atomic<std::size_t>* written, std::size_t* read,
                            std::size_t* ahead) {
    request what;
    what.url = std::move(url);
    auto opened = co_await from->open(std::move(what));
    EXPECT_TRUE(opened);
    asio::steady_timer timer(co_await asio::this_coro::executor, 300ms);
    co_await timer.async_wait(asio::use_awaitable);
    *ahead = written->load();
    for (;;) {
        auto piece = co_await (*opened)->read();
        EXPECT_TRUE(piece) << piece.error().message;
        if (!piece || piece->empty()) {
            co_return;
        }
        EXPECT_LE(piece->size(), read_buffer_limit_bytes);
        *read += piece->size();
    }
}

TEST_F(fetch_test, a_slow_reader_holds_up_the_sender) {
    constexpr std::size_t total = 64 << 20;
    std::atomic<std::size_t> written{0};
    http_test_server server([&](http_connection& to, const http_request&) {
        to.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
        const std::string piece(64 << 10, 'p');
        while (written < total && to.write(piece)) {
            written += piece.size();
        }
    });
    std::size_t read = 0;
    std::size_t ahead = 0;
    asio::co_spawn(io_, read_slowly(client_.get(), server.url("/"), &written, &read, &ahead), asio::detached);
    io_.run();
    EXPECT_EQ(read, total);
    EXPECT_LT(ahead, total / 2);  // our buffer and the kernel's, not the whole file
}

awaitable<void> read_one_and_drop(client* from, std::string url, std::string* got) {
    request what;
    what.url = std::move(url);
    auto opened = co_await from->open(std::move(what));
    EXPECT_TRUE(opened);
    auto piece = co_await (*opened)->read();
    EXPECT_TRUE(piece);
    *got = *piece;
}

TEST_F(fetch_test, dropping_the_answer_closes_the_connection) {
    std::atomic<bool> closed{false};
    http_test_server server([&](http_connection& to, const http_request&) {
        to.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlive\r\n");
        to.wait_for_close();
        closed = true;
    });
    std::string got;
    asio::co_spawn(io_, read_one_and_drop(client_.get(), server.url("/"), &got), asio::detached);
    io_.run();
    EXPECT_EQ(got, "live");
    for (int i = 0; i < 200 && !closed; ++i) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(closed);
}

TEST_F(fetch_test, cancelling_the_coroutine_cancels_the_request) {
    std::atomic<bool> closed{false};
    http_test_server server([&](http_connection& to, const http_request&) {
        to.wait_for_close();
        closed = true;
    });
    std::optional<result<answer>> out;
    asio::cancellation_signal stop;
    request what;
    what.url = server.url("/");
    std::exception_ptr thrown;
    asio::co_spawn(io_, store(client_.get(), what, &out),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { thrown = std::move(e); }));
    asio::steady_timer timer(io_, 50ms);
    timer.async_wait([&](boost::system::error_code) { stop.emit(asio::cancellation_type::all); });
    io_.run();
    EXPECT_TRUE(thrown != nullptr || (out && !*out && out->error() == errc::cancelled));
    for (int i = 0; i < 200 && !closed; ++i) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(closed);
}

TEST_F(fetch_test, stopping_the_client_ends_open_requests) {
    http_test_server server([](http_connection& to, const http_request&) { to.wait_for_close(); });
    std::optional<result<answer>> out;
    request what;
    what.url = server.url("/");
    // The coroutine uses the client until it first waits; the timer's handler runs after that.
    asio::co_spawn(io_, store(client_.get(), what, &out), asio::detached);
    asio::steady_timer timer(io_, 50ms);
    timer.async_wait([&](boost::system::error_code) { client_.reset(); });
    io_.run();
    ASSERT_TRUE(out);
    ASSERT_FALSE(*out);
    EXPECT_TRUE(out->error() == errc::cancelled) << out->error().message;
}

TEST_F(fetch_test, destroying_the_executor_under_a_waiting_reader_is_clean) {
    http_test_server server([](http_connection& to, const http_request&) { to.wait_for_close(); });
    std::optional<result<answer>> out;
    {
        asio::io_context short_lived;
        request what;
        what.url = server.url("/");
        asio::co_spawn(short_lived, store(client_.get(), what, &out), asio::detached);
        short_lived.run_for(50ms);
    }
    EXPECT_FALSE(out);
    http_test_server next([](http_connection& to, const http_request&) { to.answer(200, "alive"); });
    const auto got = get(next.url("/"));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "alive");
}

TEST_F(fetch_test, many_at_once) {
    http_test_server server([](http_connection& to, const http_request& from) { to.answer(200, from.path); });
    constexpr int count = 100;
    std::vector<std::optional<result<answer>>> out(count);
    for (int i = 0; i < count; ++i) {
        request what;
        what.url = server.url("/" + std::to_string(i));
        asio::co_spawn(io_, store(client_.get(), what, &out[static_cast<std::size_t>(i)]), asio::detached);
    }
    io_.run();
    for (int i = 0; i < count; ++i) {
        const auto& got = out[static_cast<std::size_t>(i)];
        ASSERT_TRUE(got && *got) << i;
        EXPECT_EQ((*got)->body, "/" + std::to_string(i));
    }
}

}  // namespace
}  // namespace starling::fetch
