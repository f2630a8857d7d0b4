// A bounded queue between an owner thread and a coroutine: the only way in which threads meet.
//
// `try_send` may be called from any thread and never blocks: false means full or closed, and the sender decides what to
// do (an engine pauses that slot). `receive` is awaited by one coroutine at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace starling::aio {

namespace asio = boost::asio;

template <class T>
class channel {
  public:
    channel(asio::any_io_executor executor, std::size_t capacity) : queue_(std::move(executor), capacity) {}

    /// Any thread. False when the channel is full or closed.
    bool try_send(T value) { return queue_.try_send(boost::system::error_code{}, std::optional<T>(std::move(value))); }

    /// The same for a value that the sender wants to keep when there is no room: emptied only when it was taken.
    bool try_send_from(std::optional<T>& value) {
        const bool taken = queue_.try_send(boost::system::error_code{}, std::move(value));
        if (taken) {
            value.reset();
        }
        return taken;
    }

    /// Any thread. What was sent before is still received; then `receive` gives nothing.
    void close() { queue_.close(); }

    bool is_open() const { return queue_.is_open(); }

    /// The next value; nothing once the channel is closed and empty, or when the wait was cancelled.
    asio::awaitable<std::optional<T>> receive() {
        auto [failed, value] = co_await queue_.async_receive(asio::as_tuple(asio::use_awaitable));
        if (failed) {
            co_return std::nullopt;
        }
        co_return std::move(value);
    }

  private:
    asio::experimental::concurrent_channel<void(boost::system::error_code, std::optional<T>)> queue_;
};

}  // namespace starling::aio
