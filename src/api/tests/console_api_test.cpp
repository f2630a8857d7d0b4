// Who may change what, and what a page is told.
#include "api/api.hpp"

#include "api/log_view.hpp"
#include "http/tests/network_thread.hpp"
#include "http/tests/raw_client.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace starling::api {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using http::testing::raw_client;

class short_log final : public log_view {
  public:
    std::vector<log_line> lines_from(std::uint64_t first) override {
        const std::vector<log_line> all{{.seq = 0, .time = "t0", .level = "info", .message = "begun"},
                                        {.seq = 1, .time = "t1", .level = "warning", .message = "a \"quote\""}};
        return {all.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(first, 2)), all.end()};
    }
};

class console_api : public ::testing::Test {
  protected:
    void start(options how = {}) {
        how.port = 0;
        how.limits.drain = 5s;
        node_facts facts;
        facts.node_id = std::string(64, 'a');
        facts.name = "test";
        facts.version = "1.2.3";
        facts.role = "worker";
        facts.log = &log_;
        facts.control_token = "of-the-command-line";
        facts.console_token = "of-the-page";
        server_ = std::make_unique<server>(network_.io.get_executor(), how, models_, facts);
        const auto port = network_.call([this] { return server_->start(); });
        ASSERT_TRUE(port.has_value()) << port.error().message;
        port_ = *port;
    }

    void TearDown() override {
        if (server_) {
            network_.await(server_->stop());
            network_.call([this] { server_.reset(); });
        }
    }

    std::string own_origin() const { return "origin: http://localhost:" + std::to_string(port_) + "\r\n"; }

    std::string ask(std::string_view method, std::string_view path, const std::string& headers = "") {
        raw_client client(port_);
        const std::string_view body = method == "POST" ? "{}" : "";
        client.send(std::string(method) + " " + std::string(path) +
                    " HTTP/1.1\r\nhost: localhost:" + std::to_string(port_) + "\r\n" + headers +
                    "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
                    std::string(body));
        return client.read_response();
    }

    std::string status_of(std::string_view method, std::string_view path, const std::string& headers = "") {
        return ask(method, path, headers).substr(9, 3);
    }

    static std::string bearer(std::string_view token) { return "authorization: Bearer " + std::string(token) + "\r\n"; }

    short_log log_;
    route::model_table models_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    http::testing::network_thread network_;
};

// What opens an endpoint of control gets past the door: this node is in no mesh, so it then says 503.
TEST_F(console_api, changes_want_a_token) {
    start();
    EXPECT_EQ(status_of("POST", "/api/invites"), "401");
    EXPECT_EQ(status_of("POST", "/api/invites", own_origin()), "401");
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("wrong")), "401");
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("of-the-command-line")), "503");
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("of-the-page") + own_origin()), "503");
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("of-the-page") + "origin: https://evil.example\r\n"), "403");
    EXPECT_EQ(status_of("GET", "/api/requests"), "401");
    EXPECT_EQ(status_of("GET", "/api/requests", bearer("of-the-page")), "200");
}

TEST_F(console_api, a_page_of_another_origin_gets_nothing_with_the_pages_token_even_where_it_may_ask) {
    start({.cors_origins = {"https://app.example"}});
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("of-the-page") + "origin: https://app.example\r\n"), "401");
    EXPECT_EQ(status_of("POST", "/api/session", "origin: https://app.example\r\n"), "403");
}

TEST_F(console_api, a_page_of_this_users_browser_is_given_a_token) {
    start();
    const auto answer = ask("POST", "/api/session", own_origin());
    EXPECT_EQ(answer.substr(9, 3), "200");
    EXPECT_NE(answer.find("of-the-page"), std::string::npos);
    EXPECT_EQ(status_of("POST", "/api/session"), "403") << "a page says where it comes from";
    EXPECT_EQ(status_of("POST", "/api/session", "origin: https://evil.example\r\n"), "403");
}

TEST_F(console_api, a_key_opens_what_a_token_opens) {
    start({.api_keys = {"the-key"}});
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("the-key")), "503");
    EXPECT_EQ(status_of("POST", "/api/invites", bearer("the-key") + own_origin()), "503");
    EXPECT_EQ(status_of("POST", "/api/session", own_origin()), "401");
    EXPECT_EQ(status_of("GET", "/api/events"), "401");
}

/// Until the stream has this many events, or the client's patience is over.
std::string read_events(raw_client& client, std::ptrdiff_t events) {
    const auto found = [&] {
        std::ptrdiff_t count = 0;
        for (auto at = client.received.find("event: "); at != std::string::npos;
             at = client.received.find("event: ", at + 1)) {
            ++count;
        }
        return count;
    };
    while (found() < events && client.read_some()) {
    }
    return client.received;
}

TEST_F(console_api, a_stream_tells_everything_first_and_ends_with_the_server) {
    start();
    raw_client client(port_);
    client.send("GET /api/events?logs=1 HTTP/1.1\r\nhost: localhost\r\n" + bearer("of-the-page") + "\r\n");
    const std::string told = read_events(client, 5);
    EXPECT_NE(told.find("content-type: text/event-stream"), std::string::npos);
    EXPECT_NE(told.find("event: hello\ndata: {\"version\":\"1.2.3\""), std::string::npos);
    EXPECT_NE(told.find("\"may_change\":true"), std::string::npos);
    EXPECT_NE(told.find("event: status\n"), std::string::npos);
    EXPECT_NE(told.find("event: peers\ndata: {\"set\":[{\"node_id\":\"aaaa"), std::string::npos);
    EXPECT_NE(told.find("event: deployments\ndata: []"), std::string::npos);
    EXPECT_NE(told.find(R"({"seq":1,"time":"t1","level":"warning","message":"a \"quote\""})"), std::string::npos);
    const auto began = std::chrono::steady_clock::now();
    network_.await(server_->stop());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s) << "it does not wait for those who only look";
    network_.call([this] { server_.reset(); });
}

TEST_F(console_api, whoever_asks_for_the_head_alone_is_not_kept) {
    start();
    raw_client client(port_);
    client.send("HEAD /api/events HTTP/1.1\r\nhost: localhost\r\n\r\nGET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    EXPECT_TRUE(client.read_until("\"models\":")) << "the next request is answered";
}

TEST_F(console_api, who_may_only_look_is_told_no_log) {
    start();
    raw_client client(port_);
    client.send("GET /api/events?logs=1 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const std::string told = read_events(client, 4);
    EXPECT_NE(told.find("\"may_change\":false"), std::string::npos);
    EXPECT_EQ(told.find("event: log"), std::string::npos);
}

TEST_F(console_api, the_history_of_this_node_is_there_and_of_a_strangers_not) {
    start();
    const auto answer = ask("GET", "/api/history");
    EXPECT_EQ(answer.substr(9, 3), "200");
    EXPECT_NE(answer.find("\"interval_s\":5"), std::string::npos);
    EXPECT_EQ(status_of("GET", "/api/history?node_id=" + std::string(64, 'a')), "200");
    EXPECT_EQ(status_of("GET", "/api/history?node_id=bbbb"), "404");
}

TEST_F(console_api, every_page_comes_with_its_policy) {
    start();
    const auto page = ask("GET", "/");
    EXPECT_EQ(page.substr(9, 3), "200");
    EXPECT_NE(page.find("content-security-policy: default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace starling::api
