// Coroutines that wait for something to change. One executor thread; the state itself belongs to the caller, who looks
// at it again after every wake-up:
//
//     while (!ready()) {
//         const bool in_time = co_await changed.wait_until(deadline);
//         if (!in_time) { … }
//     }
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <utility>

namespace starling::aio {

class wake_up {
  public:
    explicit wake_up(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
    wake_up(const wake_up&) = delete;
    wake_up& operator=(const wake_up&) = delete;

    /// True: notified. False: the time is over. A cancellation of the caller wakes it too, and its next co_await
    /// throws. The object must outlive the wait.
    boost::asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point deadline);

    /// Wakes everyone who waits now.
    void notify();

  private:
    boost::asio::any_io_executor executor_;
    std::list<boost::asio::steady_timer> waiting_;
};

}  // namespace starling::aio
