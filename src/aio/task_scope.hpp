// Tasks that end together: nothing is detached.
//
// Owner: whoever starts the tasks. Thread: one executor thread. A scope is stopped and joined before what its tasks
// use is destroyed; a scope that is destroyed with tasks still running has been misused.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace starling::aio {

namespace asio = boost::asio;

class task_scope {
  public:
    /// Told when a task ends with an exception that is not its cancellation: a bug, worth a log line.
    using failure_sink = std::function<void(std::exception_ptr)>;

    explicit task_scope(asio::any_io_executor executor, failure_sink on_failure = {});
    ~task_scope();
    task_scope(const task_scope&) = delete;
    task_scope& operator=(const task_scope&) = delete;

    /// Starts a task. After `cancel` new tasks are dropped unstarted.
    void spawn(asio::awaitable<void> task);

    /// Asks every task to end: its current co_await gives up, and the next one throws.
    void cancel();

    /// Waits until every task has ended.
    asio::awaitable<void> join();

    /// Waits until every task has ended or the time is over; true when all have ended.
    asio::awaitable<bool> join_for(std::chrono::milliseconds time);

    std::size_t running() const;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace starling::aio
