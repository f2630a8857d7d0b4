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
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace starling::aio {

namespace asio = boost::asio;

template <class T>
class channel {
  public:
    channel(asio::any_io_executor executor, std::size_t capacity)
        : queue_(std::in_place, std::move(executor), capacity) {}

    /// Any thread. False when the channel is full or closed, or its reader left.
    bool try_send(T value) {
        std::optional<T> held(std::move(value));
        return try_send_from(held);
    }

    /// The same for a value that the sender wants to keep when there is no room: emptied only when it was taken.
    bool try_send_from(std::optional<T>& value) {
        const std::lock_guard lock(mutex_);
        const bool taken = queue_ && queue_->try_send(boost::system::error_code{}, std::move(value));
        if (taken) {
            value.reset();
        }
        return taken;
    }

    /// Any thread. `receive` gives nothing from now on; what was not yet received is lost.
    void close() {
        const std::lock_guard lock(mutex_);
        if (queue_) {
            queue_->close();
        }
    }

    /// Reader only. The next value; nothing once the channel is closed, or when the wait was cancelled.
    asio::awaitable<std::optional<T>> receive() {
        auto [failed, value] = co_await queue_->async_receive(asio::as_tuple(asio::use_awaitable));
        if (failed) {
            co_return std::nullopt;
        }
        co_return std::move(value);
    }

    /// Reader only, and its last call: a sender may hold on to the channel for longer than the reader's executor
    /// lives, so what belongs to the executor goes with the reader.
    void leave() {
        const std::lock_guard lock(mutex_);
        queue_.reset();
    }

  private:
    std::mutex mutex_;
    std::optional<asio::experimental::concurrent_channel<void(boost::system::error_code, std::optional<T>)>> queue_;
};

/// The reading end of a shared channel: leaves when it is destroyed.
template <class T>
class reader {
  public:
    explicit reader(std::shared_ptr<channel<T>> from) : from_(std::move(from)) {}
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader() { from_->leave(); }

    asio::awaitable<std::optional<T>> receive() { return from_->receive(); }

  private:
    std::shared_ptr<channel<T>> from_;
};

}  // namespace starling::aio
