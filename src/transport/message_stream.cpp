#include "transport/message_stream.hpp"

#include <array>
#include <utility>

namespace starling::transport {

awaitable<result<void>> message_stream::send(std::string message, steady_time deadline) {
    const auto frame = wire::framed(message);
    auto written = co_await on_->write(frame, deadline);
    co_return written;
}

awaitable<result<std::string>> message_stream::receive(steady_time deadline) {
    std::array<std::uint8_t, 4'096> piece;
    for (;;) {
        auto next = reader_.next();
        if (!next) {
            co_return next.error();
        }
        if (*next) {
            co_return std::move(**next);
        }
        auto got = co_await on_->read_some(piece, deadline);
        if (!got) {
            co_return got.error();
        }
        if (*got == 0) {
            co_return fail(errc::closed, "The other side has finished.");
        }
        reader_.push(std::span<const std::uint8_t>(piece).first(*got));
    }
}

}  // namespace starling::transport
