// Endpoints on loopback.
#pragma once

#include "quic/quic.hpp"
#include "transport/tests/contract.hpp"

namespace starling::quic {

namespace asio = boost::asio;
using transport::awaitable;
using transport::bytes_of;
using transport::errc;
using transport::in;
using transport::read_all;
using transport::soon;

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

    void run(awaitable<void> test) { transport::run_to_end(io_, std::move(test)); }

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

}  // namespace starling::quic
