// The network executor of a test: an io_context on a thread of its own, and calls into it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <thread>

namespace starling::http::testing {

class network_thread {
  public:
    network_thread() : work_(io.get_executor()), thread_([this] { io.run(); }) {}
    ~network_thread() {
        work_.reset();
        io.stop();
        thread_.join();
    }
    network_thread(const network_thread&) = delete;
    network_thread& operator=(const network_thread&) = delete;

    /// Runs a function on the network thread and gives what it returns.
    template <class F>
    auto call(F function) {
        std::packaged_task<decltype(function())()> task(std::move(function));
        auto answer = task.get_future();
        boost::asio::post(io, [&task] { task(); });
        return answer.get();
    }

    template <class T>
    T await(boost::asio::awaitable<T> task) {
        return boost::asio::co_spawn(io, std::move(task), boost::asio::use_future).get();
    }

    boost::asio::io_context io;

  private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// Asks until the answer is yes, for at most five seconds.
template <class F>
bool eventually(F is_so) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < until) {
        if (is_so()) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return is_so();
}

}  // namespace starling::http::testing
