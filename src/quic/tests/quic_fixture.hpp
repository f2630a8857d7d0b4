// Two endpoints on loopback and a way to run a coroutine to its end.
#pragma once

#include "quic/quic.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <string>

namespace starling::quic {

namespace asio = boost::asio;
using transport::awaitable;
using transport::errc;

inline transport::steady_time in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

inline transport::steady_time soon() {
    return in(std::chrono::seconds(20));  // longer than any machine needs, shorter than a hang
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline address loopback(std::uint16_t port = 0) {
    return {asio::ip::address_v4::loopback(), port};
}

class quic_test : public testing::Test {
  public:
    std::unique_ptr<transport::endpoint> make(const keys::key_pair& keys, options how = {}) {
        auto made = listen(io_.get_executor(), loopback(), keys, how);
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }

    void run(awaitable<void> test) {
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(test), [&](std::exception_ptr e) {
            thrown = e;
            io_.stop();
        });
        io_.run();
        io_.restart();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    }

    awaitable<void> pause(std::chrono::milliseconds time) {
        asio::steady_timer timer(io_, time);
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::io_context io_{1};
    keys::key_pair client_keys_ = keys::key_pair::generate();
    keys::key_pair server_keys_ = keys::key_pair::generate();
    std::unique_ptr<transport::endpoint> client_ = make(client_keys_);
    std::unique_ptr<transport::endpoint> server_ = make(server_keys_);
};

/// Everything until the other side finishes.
inline awaitable<result<std::string>> read_all(transport::stream& from) {
    std::string out;
    transport::bytes part(16 << 10);
    for (;;) {
        auto got = co_await from.read_some(part, soon());
        if (!got) {
            co_return got.error();
        }
        if (*got == 0) {
            co_return out;
        }
        out.append(reinterpret_cast<const char*>(part.data()), *got);
    }
}

}  // namespace starling::quic
