// Running a coroutine to its end in a test, and what such tests share.
#pragma once

#include "transport/transport.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace starling::transport {

namespace asio = boost::asio;

inline steady_time in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

inline steady_time soon() {
    return in(std::chrono::seconds(20));  // longer than any machine needs, shorter than a hang
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void run_to_end(asio::io_context& io, awaitable<void> test) {
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(test), [&](std::exception_ptr e) {
        thrown = e;
        io.stop();
    });
    io.run();
    io.restart();
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

/// Everything until the other side finishes.
inline awaitable<result<std::string>> read_all(stream& from) {
    std::string out;
    bytes part(16 << 10);
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

}  // namespace starling::transport
