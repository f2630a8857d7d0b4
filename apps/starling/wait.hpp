// The program's own thread waits for a coroutine on another, and for Ctrl-C.
#pragma once

#include "interrupts.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace starling::cli {

/// Wakes a thread that waits in poll().
class wake_up {
  public:
    wake_up();
    wake_up(const wake_up&) = delete;
    wake_up& operator=(const wake_up&) = delete;
    ~wake_up();

    void signal();  // any thread
    /// Blocks until signalled. False when Ctrl-C came first; then it is called again.
    bool wait(interrupts& keyboard);

  private:
    int fd_;
};

/// Runs `work` on `executor`. Nothing when Ctrl-C was pressed: the work is cancelled and waited for. A second Ctrl-C
/// while it is waited for ends the program at once.
template <class T>
std::optional<T> wait_for(const boost::asio::any_io_executor& executor, boost::asio::awaitable<T> work,
                          interrupts& keyboard) {
    wake_up finished;
    boost::asio::cancellation_signal cancel;
    std::optional<T> out;
    std::exception_ptr thrown;
    boost::asio::co_spawn(executor, std::move(work),
                          boost::asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& e, T value) {
                              thrown = e;
                              out = std::move(value);
                              finished.signal();
                          }));
    bool stopped = false;
    while (!finished.wait(keyboard)) {
        if (stopped) {
            std::_Exit(130);
        }
        stopped = true;
        boost::asio::post(executor, [&cancel] { cancel.emit(boost::asio::cancellation_type::terminal); });
    }
    // What was posted to cancel must not outlive `cancel`, and what came too late belongs to that thread.
    wake_up drained;
    boost::asio::post(executor, [&] {
        if (stopped) {
            out.reset();
        }
        drained.signal();
    });
    while (!drained.wait(keyboard)) {
    }
    if (stopped) {
        return std::nullopt;  // what a cancelled wait throws means nothing else
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    return out;
}

}  // namespace starling::cli
