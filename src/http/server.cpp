#include "http/server.hpp"

#include "aio/task_scope.hpp"
#include "http/session.hpp"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>
#include <optional>

namespace starling::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t refusals_at_once = 64;            // connections over the limit that are told so; the rest is cut
constexpr std::chrono::milliseconds accept_pause{100};  // when the system is out of descriptors

error explain_bind(const boost::system::error_code& failed, const std::string& address, std::uint16_t port) {
    if (failed == asio::error::address_in_use) {
        return fail(errc::port_in_use,
                    fmt::format("Port {} on {} is in use by another program. Choose another with --port, or stop that "
                                "program.",
                                port, address));
    }
    if (failed == asio::error::access_denied) {
        return fail(
            errc::not_permitted,
            fmt::format("Port {} may not be used without special rights. Choose one above 1023 with --port.", port));
    }
    if (failed == boost::system::errc::address_not_available) {
        return fail(errc::bad_address, fmt::format("{} is not an address of this machine. Check --bind.", address));
    }
    return fail(errc::cannot_listen, fmt::format("Cannot listen on {} port {}: {}.", address, port, failed.message()));
}

}  // namespace

class server::impl : public std::enable_shared_from_this<server::impl> {
  public:
    impl(asio::any_io_executor executor, limits limits, handler& answerer)
        : executor_(executor),
          limits_(limits),
          handler_(answerer),
          acceptor_(executor),
          accepting_(executor),
          sessions_(executor) {}

    result<std::uint16_t> start(const std::string& address, std::uint16_t port);
    awaitable<void> stop();
    std::size_t connections() const { return live_.size(); }

  private:
    awaitable<void> run_accept_loop();
    awaitable<void> run_session(tcp::socket socket, bool over_limit);

    asio::any_io_executor executor_;
    limits limits_;
    handler& handler_;
    tcp::acceptor acceptor_;
    std::list<session*> live_;
    std::size_t refusals_ = 0;
    aio::task_scope accepting_;
    aio::task_scope sessions_;
};

result<std::uint16_t> server::impl::start(const std::string& address, std::uint16_t port) {
    boost::system::error_code failed;
    const auto parsed = asio::ip::make_address(address, failed);
    if (failed) {
        return fail(errc::bad_address,
                    fmt::format("'{}' is not an IP address. Give one like 127.0.0.1 to --bind.", address));
    }
    const tcp::endpoint endpoint(parsed, port);
    acceptor_.open(endpoint.protocol(), failed);
    if (!failed) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    }
    if (!failed) {
        acceptor_.bind(endpoint, failed);
    }
    if (!failed) {
        acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    }
    if (failed) {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        return explain_bind(failed, address, port);
    }
    accepting_.spawn(run_accept_loop());
    return acceptor_.local_endpoint().port();
}

awaitable<void> server::impl::run_accept_loop() {
    const auto keep = shared_from_this();
    while (acceptor_.is_open()) {
        auto [failed, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
        if (!acceptor_.is_open()) {
            co_return;
        }
        if (failed) {
            asio::steady_timer pause(executor_, accept_pause);
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        const bool over_limit = live_.size() >= limits_.connections;
        if (!over_limit || refusals_ < refusals_at_once) {
            sessions_.spawn(run_session(std::move(socket), over_limit));
        }
    }
}

awaitable<void> server::impl::run_session(tcp::socket socket, bool over_limit) {
    const auto keep = shared_from_this();
    session client(std::move(socket), limits_, handler_);
    if (over_limit) {
        ++refusals_;
        const std::shared_ptr<void> guard(nullptr, [keep](void*) { --keep->refusals_; });
        co_await client.run_refusal();
        co_return;
    }
    const auto entry = live_.insert(live_.end(), &client);
    const std::shared_ptr<void> guard(nullptr, [keep, entry](void*) { keep->live_.erase(entry); });
    co_await client.run();
}

awaitable<void> server::impl::stop() {
    const auto keep = shared_from_this();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    accepting_.cancel();
    co_await accepting_.join();
    for (auto* client : live_) {
        client->finish();
    }
    const bool all_ended = co_await sessions_.join_for(limits_.drain);
    if (!all_ended) {
        sessions_.cancel();
        co_await sessions_.join();
    }
}

server::server(asio::any_io_executor executor, limits limits, handler& answerer)
    : impl_(std::make_shared<impl>(std::move(executor), limits, answerer)) {}

server::~server() = default;

result<std::uint16_t> server::start(const std::string& address, std::uint16_t port) {
    return impl_->start(address, port);
}

awaitable<void> server::stop() {
    return impl_->stop();
}

std::size_t server::connections() const {
    return impl_->connections();
}

}  // namespace starling::http
