#include "http/server.hpp"

#include "http/tests/network_thread.hpp"
#include "http/tests/raw_client.hpp"

#include <gtest/gtest.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <memory>

namespace starling::http {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::raw_client;

std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nhost: localhost\r\n" + std::string(more) + "\r\n";
}

std::string post(std::string_view path, std::string_view body) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nhost: localhost\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

struct alive_count {
    explicit alive_count(std::atomic<int>& counted) : count(counted) { ++count; }
    ~alive_count() { --count; }
    alive_count(const alive_count&) = delete;
    alive_count& operator=(const alive_count&) = delete;
    std::atomic<int>& count;
};

/// Answers by path: /echo, /stream (ten events), /wait (for ever), /flood (for ever, as fast as it can), /throw,
/// /silent, /late (after 300 ms), /refused.
class scripted_handler final : public handler {
  public:
    std::optional<response> refuse(const request& head) override {
        last_head = head;
        if (head.path == "/refused") {
            return response{403, {}, "no"};
        }
        return std::nullopt;
    }

    awaitable<void> handle(request request, response_writer& writer) override {
        const alive_count guard(alive);
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        if (request.path == "/stream") {
            writer.begin({200, {{"content-type", "text/event-stream"}}, ""});
            for (int i = 0; i < 10; ++i) {
                timer.expires_after(1ms);
                co_await timer.async_wait(boost::asio::use_awaitable);
                writer.write("event " + std::to_string(i) + "\n");
            }
            writer.end();
        } else if (request.path == "/wait") {
            writer.begin({200, {}, "begun\n"});
            timer.expires_after(1h);
            co_await timer.async_wait(boost::asio::use_awaitable);
        } else if (request.path == "/flood") {
            writer.begin({200, {}, ""});
            const std::string piece(1024, 'x');
            for (;;) {
                writer.write(piece);
                flooded += piece.size();
                if (writer.behind()) {
                    co_await writer.drained();
                }
            }
        } else if (request.path == "/late") {
            timer.expires_after(300ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
            writer.send({200, {}, "late"});
        } else if (request.path == "/throw") {
            throw std::runtime_error("secret");
        } else if (request.path == "/throw-in-stream") {
            writer.begin({200, {}, "begun\n"});
            throw std::runtime_error("secret");
        } else if (request.path == "/big") {
            writer.send({200, {}, std::string(8 * 1024 * 1024, 'b')});
        } else if (request.path != "/silent") {
            writer.send(
                {200, {{"x-method", request.method}, {"x-query", request.query}}, request.path + ":" + request.body});
        }
    }

    response describe_error(int status, std::string_view what) override { return {status, {}, std::string(what)}; }

    std::atomic<int> alive{0};
    std::atomic<std::size_t> flooded{0};
    request last_head;
};

limits quick_limits() {
    limits l;
    l.header_bytes = 2048;
    l.body_bytes = 4096;
    l.connections = 8;
    l.idle = 1500ms;
    l.header = 1000ms;
    l.body = 1000ms;
    l.write = 1000ms;
    l.drain = 1000ms;
    return l;
}

class http_server : public ::testing::Test {
  protected:
    void SetUp() override { start(quick_limits()); }

    void start(limits l) {
        server_ = std::make_unique<server>(network_.io.get_executor(), l, handler_);
        const auto port = network_.call([this] { return server_->start("127.0.0.1", 0); });
        ASSERT_TRUE(port.has_value()) << port.error().message;
        port_ = *port;
    }

    void restart(limits l) {
        network_.await(server_->stop());
        start(l);
    }

    void TearDown() override {
        network_.await(server_->stop());
        EXPECT_EQ(network_.call([this] { return server_->connections(); }), 0U);
        EXPECT_EQ(handler_.alive, 0);
        network_.call([this] { server_.reset(); });
    }

    scripted_handler handler_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    testing::network_thread network_;  // last: its thread ends before what it uses
};

TEST_F(http_server, answers_and_keeps_the_connection) {
    raw_client client(port_);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client.send(post("/echo?a=1", "body " + std::to_string(i))));
        const auto answer = client.read_response();
        EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0U) << answer;
        EXPECT_NE(answer.find("/echo:body " + std::to_string(i)), std::string::npos);
        EXPECT_NE(answer.find("x-query: a=1\r\n"), std::string::npos);
        EXPECT_NE(answer.find("date: "), std::string::npos);
    }
}

TEST_F(http_server, pipelined_requests_are_answered_in_their_order) {
    raw_client client(port_);
    std::string all;
    for (int i = 0; i < 20; ++i) {
        all += post("/echo", "number " + std::to_string(i)) + get("/stream");
    }
    ASSERT_TRUE(client.send(all));
    for (int i = 0; i < 20; ++i) {
        EXPECT_NE(client.read_response().find("/echo:number " + std::to_string(i)), std::string::npos) << i;
        const auto stream = client.read_response();
        EXPECT_NE(stream.find("event 9"), std::string::npos) << i;
    }
}

TEST_F(http_server, a_request_that_arrives_byte_by_byte_is_read) {
    limits l = quick_limits();
    l.header = 5s;
    l.body = 5s;
    restart(l);
    raw_client client(port_);
    for (const char c : post("/echo", "slow but honest")) {
        ASSERT_TRUE(client.send(std::string_view(&c, 1)));
    }
    EXPECT_NE(client.read_response().find("/echo:slow but honest"), std::string::npos);
}

TEST_F(http_server, a_stream_is_chunked_and_the_connection_goes_on) {
    raw_client client(port_);
    client.send(get("/stream"));
    const auto stream = client.read_response();
    EXPECT_NE(stream.find("transfer-encoding: chunked"), std::string::npos);
    EXPECT_NE(stream.find("8\r\nevent 3\n\r\n"), std::string::npos) << stream;
    client.send(get("/echo"));
    EXPECT_NE(client.read_response().find("/echo:"), std::string::npos);
}

TEST_F(http_server, an_http_1_0_client_gets_no_chunks_and_an_end) {
    raw_client client(port_);
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    client.read_to_end();
    EXPECT_EQ(client.received.find("transfer-encoding"), std::string::npos);
    EXPECT_NE(client.received.find("event 0\nevent 1\n"), std::string::npos) << client.received;
    EXPECT_TRUE(client.is_closed());
}

TEST_F(http_server, a_head_request_gets_the_length_and_no_body) {
    raw_client client(port_);
    client.send("HEAD /echo HTTP/1.1\r\nhost: x\r\n\r\n" + get("/echo"));
    client.head_only = true;
    const auto head = client.read_response();
    EXPECT_NE(head.find("content-length: 6\r\n"), std::string::npos) << head;
    client.head_only = false;
    EXPECT_EQ(client.read_response().substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(http_server, connection_close_is_respected) {
    raw_client client(port_);
    client.send(get("/echo", "connection: close\r\n"));
    EXPECT_NE(client.read_response().find("connection: close"), std::string::npos);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(http_server, too_large_headers_are_431) {
    raw_client client(port_);
    client.send(get("/echo", "x-big: " + std::string(4000, 'x') + "\r\n"));
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 431");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(http_server, a_header_that_never_ends_is_431) {
    raw_client client(port_);
    std::string line = "GET /" + std::string(200'000, 'a');
    client.send(line);
    client.read_to_end();
    EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 431");
}

TEST_F(http_server, a_body_announced_too_large_is_413_before_it_is_sent) {
    raw_client client(port_);
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\n");
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 413");
}

TEST_F(http_server, a_chunked_body_that_grows_too_large_is_413) {
    raw_client client(port_);
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    const std::string chunk = "400\r\n" + std::string(1024, 'c') + "\r\n";
    for (int i = 0; i < 8; ++i) {
        client.send(chunk);
    }
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 413");
}

TEST_F(http_server, a_client_that_sends_a_large_body_still_reads_the_413) {
    raw_client client(port_);
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n");
    client.send(std::string(4'000'000, 'x'));
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 413");
}

TEST_F(http_server, a_chunked_request_is_read) {
    raw_client client(port_);
    client.send(
        "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    EXPECT_NE(client.read_response().find("/echo:hello world"), std::string::npos);
}

TEST_F(http_server, expect_continue_is_answered) {
    raw_client client(port_);
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    ASSERT_TRUE(client.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
    client.received.clear();
    client.send("ok");
    EXPECT_NE(client.read_response().find("/echo:ok"), std::string::npos);
}

TEST_F(http_server, a_refused_request_is_answered_before_its_body) {
    raw_client client(port_);
    client.send("POST /refused HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000\r\n\r\n");
    const auto answer = client.read_response();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 403");
    EXPECT_NE(answer.find("connection: close"), std::string::npos);
}

TEST_F(http_server, a_refused_request_without_a_body_keeps_the_connection) {
    raw_client client(port_);
    client.send(get("/refused"));
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 403");
    client.send(get("/echo"));
    EXPECT_EQ(client.read_response().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(http_server, nonsense_is_400_and_closed) {
    for (const std::string nonsense :
         {"hello there\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nbroken\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n",
          "GET /%00 HTTP/1.1\r\nhost: x\r\n\r\n", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
          "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"}) {
        raw_client client(port_);
        client.send(nonsense);
        client.read_to_end();
        EXPECT_EQ(client.received.substr(0, 12), "HTTP/1.1 400") << nonsense;
        EXPECT_TRUE(client.is_closed()) << nonsense;
    }
}

TEST_F(http_server, a_slow_header_is_cut) {
    raw_client client(port_);
    client.send("GET /echo HTTP/1.1\r\nhost: x\r\nx-slow: ");
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < 60 && client.send("a"); ++i) {
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_TRUE(client.is_closed());
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    EXPECT_EQ(client.received.find("200"), std::string::npos);
}

TEST_F(http_server, a_slow_body_is_cut) {
    raw_client client(port_);
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(http_server, an_idle_connection_is_closed) {
    raw_client client(port_);
    client.send(get("/echo"));
    client.read_response();
    EXPECT_TRUE(client.is_closed());
}

TEST_F(http_server, a_client_that_leaves_cancels_its_request) {
    for (const bool abruptly : {false, true}) {
        raw_client client(port_);
        client.send(get("/wait"));
        ASSERT_TRUE(client.read_until("begun"));
        EXPECT_EQ(handler_.alive, 1);
        if (abruptly) {
            client.reset();
        } else {
            client.close();
        }
        EXPECT_TRUE(eventually([&] { return handler_.alive == 0; }));
    }
}

TEST_F(http_server, a_client_that_leaves_with_requests_in_the_pipe_is_noticed_too) {
    raw_client client(port_);
    client.send(get("/wait") + get("/echo") + get("/echo"));
    ASSERT_TRUE(client.read_until("begun"));
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(handler_.alive, 1);
    client.close();
    EXPECT_TRUE(eventually([&] { return handler_.alive == 0; }));
}

TEST_F(http_server, a_client_that_does_not_read_holds_the_handler_up_and_is_cut) {
    raw_client client(port_, 4096);
    client.send(get("/flood"));
    EXPECT_TRUE(eventually([&] { return handler_.alive == 1; }));
    EXPECT_TRUE(eventually([&] { return handler_.alive == 0; })) << "the write time-out did not cut it";
    EXPECT_LT(handler_.flooded, 32U * 1024 * 1024);
}

TEST_F(http_server, a_slow_reader_gets_every_byte) {
    limits l = quick_limits();
    l.write = 5s;
    restart(l);
    raw_client client(port_, 4096);
    client.send(get("/big", "connection: close\r\n"));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    std::this_thread::sleep_for(50ms);
    client.read_to_end();
    const auto body = client.received.find("\r\n\r\n") + 4;
    EXPECT_EQ(client.received.size() - body, 8U * 1024 * 1024);
}

TEST_F(http_server, a_handler_that_throws_or_says_nothing_is_a_500_without_its_words) {
    raw_client client(port_);
    for (const auto* path : {"/throw", "/silent"}) {
        client.send(get(path));
        const auto answer = client.read_response();
        EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 500") << path;
        EXPECT_EQ(answer.find("secret"), std::string::npos);
    }
}

TEST_F(http_server, a_stream_that_breaks_off_is_cut_and_not_ended) {
    raw_client client(port_);
    client.send(get("/throw-in-stream"));
    client.read_to_end();
    EXPECT_NE(client.received.find("begun"), std::string::npos);
    EXPECT_EQ(client.received.find("0\r\n\r\n"), std::string::npos) << "the client must see that something is missing";
}

TEST_F(http_server, connections_over_the_limit_are_told) {
    std::vector<std::unique_ptr<raw_client>> held;
    for (int i = 0; i < 8; ++i) {
        held.push_back(std::make_unique<raw_client>(port_));
        held.back()->send(get("/wait"));
        ASSERT_TRUE(held.back()->read_until("begun"));
    }
    raw_client extra(port_);
    extra.send(get("/echo"));
    EXPECT_EQ(extra.read_response().substr(0, 12), "HTTP/1.1 503");
    held.clear();
    EXPECT_TRUE(eventually([&] { return handler_.alive == 0; }));
    raw_client again(port_);
    again.send(get("/echo"));
    EXPECT_EQ(again.read_response().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(http_server, stopping_lets_an_answer_finish_and_closes_idle_connections) {
    raw_client idle(port_);
    raw_client busy(port_);
    idle.send(get("/echo"));
    idle.read_response();
    busy.send(get("/late"));
    ASSERT_TRUE(eventually([&] { return handler_.alive == 1; }));
    network_.await(server_->stop());
    EXPECT_NE(busy.read_response().find("late"), std::string::npos);
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(busy.is_closed());
}

TEST_F(http_server, stopping_cancels_an_answer_that_takes_too_long) {
    raw_client client(port_);
    client.send(get("/wait"));
    ASSERT_TRUE(client.read_until("begun"));
    const auto before = std::chrono::steady_clock::now();
    network_.await(server_->stop());
    EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
    EXPECT_EQ(handler_.alive, 0);
}

TEST_F(http_server, a_port_in_use_is_a_plain_sentence) {
    server other(network_.io.get_executor(), quick_limits(), handler_);
    const auto taken = network_.call([&] { return other.start("127.0.0.1", port_); });
    ASSERT_TRUE(taken.has_error());
    EXPECT_TRUE(taken.error() == errc::port_in_use) << taken.error().message;
    EXPECT_NE(taken.error().message.find(std::to_string(port_)), std::string::npos);
    EXPECT_TRUE(network_.call([&] { return other.start("not an address", 0); }).error() == errc::bad_address);
    EXPECT_TRUE(network_.call([&] { return other.start("192.0.2.1", 0); }).error() == errc::bad_address);
}

TEST_F(http_server, percent_signs_and_absolute_targets_are_understood) {
    raw_client client(port_);
    client.send(get("/a%20b%2Fc?q=%20"));
    const auto answer = client.read_response();
    EXPECT_NE(answer.find("/a b/c:"), std::string::npos) << answer;
    EXPECT_NE(answer.find("x-query: q=%20"), std::string::npos);
    client.send("GET http://localhost/echo HTTP/1.1\r\nhost: localhost\r\n\r\n");
    EXPECT_NE(client.read_response().find("/echo:"), std::string::npos);
}

TEST(http_types, headers_are_found_without_regard_to_case) {
    const header_list headers{{"Content-Type", "a"}, {"x", "b"}};
    EXPECT_EQ(find_header(headers, "content-type"), "a");
    EXPECT_EQ(find_header(headers, "X"), "b");
    EXPECT_EQ(find_header(headers, "content"), "");
}

}  // namespace
}  // namespace starling::http
