// Waits for one piece of a worker's work at a time, and gives it up when it takes too long. One executor thread.
//
// For every token there is one wait and, as a rule, none is late; so the timer is not set anew each time. When it
// fires, it looks whether the wait of now has reached its limit, and if not, sets itself for that limit.
#pragma once

#include "aio/call_context.hpp"
#include "base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace starling::dispatch {

namespace asio = boost::asio;

class watchdog {
  public:
    explicit watchdog(asio::any_io_executor executor);
    ~watchdog();
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;

    /// What `work` gives; nothing when it had not ended by `until`, and was cancelled. A cancellation of the caller
    /// cancels `work` and is thrown on, whatever `work` makes of it. One call at a time.
    template <class T>
    asio::awaitable<std::optional<result<T>>> run(asio::awaitable<result<T>> work, aio::steady_time until) {
        const auto shared = state_;
        const auto caller = co_await asio::this_coro::cancellation_state;
        const wait waiting(*shared, until, caller.slot());
        std::optional<result<T>> out;
        try {
            auto ended = asio::bind_cancellation_slot(shared->stop.slot(), asio::use_awaitable);
            auto running = asio::co_spawn(shared->executor, std::move(work), ended);
            out.emplace(co_await std::move(running));
        } catch (const boost::system::system_error& e) {
            if (!shared->late || e.code() != asio::error::operation_aborted) {
                throw;
            }
        }
        if (caller.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        if (shared->late && out && !out->has_value()) {
            out.reset();  // the error is how `work` took being cancelled
        }
        co_return out;
    }

  private:
    /// Kept by the timer's handler too, which may be on its way when the watchdog goes.
    struct state : std::enable_shared_from_this<state> {
        explicit state(asio::any_io_executor on) : executor(std::move(on)), timer(executor) {}

        void arm(aio::steady_time at);
        void fired();

        asio::any_io_executor executor;
        asio::steady_timer timer;
        asio::cancellation_signal stop;
        aio::steady_time until;
        bool armed = false;
        bool waiting = false;
        bool late = false;
    };

    /// One run, from its beginning to its end however it ends.
    class wait {
      public:
        wait(state& of, aio::steady_time until, asio::cancellation_slot caller);
        ~wait();
        wait(const wait&) = delete;
        wait& operator=(const wait&) = delete;

      private:
        state& of_;
        asio::cancellation_slot caller_;
    };

    std::shared_ptr<state> state_;
};

}  // namespace starling::dispatch
