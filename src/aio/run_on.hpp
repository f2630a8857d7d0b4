// A coroutine on another executor, awaited from here.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace starling::aio {

/// Runs `work` on `executor`, whose handlers must not run at the same time (one thread, or a strand), and waits for it
/// to end. A cancellation of the caller reaches `work` on that executor.
///
/// Asio's own co_spawn, awaited across executors, sends a cancellation over with a bare pointer to what is gone when
/// the work ends first (Boost 1.81, co_spawn_cancellation_handler). Here the way of a cancellation is owned by all who
/// use it.
template <class T>
boost::asio::awaitable<T> run_on(boost::asio::any_io_executor executor, boost::asio::awaitable<T> work) {
    namespace asio = boost::asio;
    const auto there = std::make_shared<asio::cancellation_signal>();
    struct clear_when_left {
        explicit clear_when_left(asio::cancellation_slot of) : slot(of) {}
        clear_when_left(const clear_when_left&) = delete;
        clear_when_left& operator=(const clear_when_left&) = delete;
        ~clear_when_left() { slot.clear(); }
        asio::cancellation_slot slot;
    };
    const auto state = co_await asio::this_coro::cancellation_state;
    clear_when_left here(state.slot());
    if (here.slot.is_connected()) {
        here.slot.assign([executor, there](asio::cancellation_type type) {
            asio::post(executor, [there, type] { there->emit(type); });
        });
    }
    auto ended = asio::bind_cancellation_slot(there->slot(), asio::use_awaitable);
    auto running = asio::co_spawn(executor, std::move(work), ended);
    co_return co_await std::move(running);
}

}  // namespace starling::aio
