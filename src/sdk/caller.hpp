// A thread outside waits for coroutines on the network thread, one after the other, until it is told to stop.
//
// A stop may be requested on any thread and at any time: all that belongs to it is touched on the network thread alone,
// so it is never lost between two coroutines.
#pragma once

#include "base/result.hpp"
#include "engine/errc.hpp"
#include "fetch/errc.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <utility>

namespace starling::sdk {

class caller {
  public:
    caller(boost::asio::any_io_executor network, std::stop_token stop);
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;

    /// Blocks. Once stopped: fetch::errc::cancelled, unless `work` had its value already.
    template <class T>
    starling::result<T> wait(boost::asio::awaitable<starling::result<T>> work);

    /// Blocks until `what` was done on the network thread, stopped or not.
    void run(const std::function<void()>& what);

  private:
    struct shared {  // network thread
        boost::asio::cancellation_signal cancel;
        bool running = false;
        bool stopped = false;
    };

    static starling::error stopped_error();
    static starling::error error_of(const std::exception_ptr& thrown);

    boost::asio::any_io_executor network_;
    std::shared_ptr<shared> shared_;
    std::stop_callback<std::function<void()>> on_stop_;
};

template <class T>
starling::result<T> caller::wait(boost::asio::awaitable<starling::result<T>> work) {
    // Shared: the thread that waits may be gone before the promise has finished waking it.
    auto done = std::make_shared<std::promise<starling::result<T>>>();
    auto answer = done->get_future();
    boost::asio::post(network_, [this, &work, done] {
        if (shared_->stopped) {
            done->set_value(stopped_error());
            return;
        }
        shared_->running = true;
        auto finish = [shared = shared_, done](const std::exception_ptr& thrown, starling::result<T> value) {
            shared->running = false;
            if (shared->stopped && (thrown || !value)) {
                done->set_value(stopped_error());
            } else if (thrown) {
                done->set_value(error_of(thrown));
            } else {
                done->set_value(std::move(value));
            }
        };
        boost::asio::co_spawn(network_, std::move(work),
                              boost::asio::bind_cancellation_slot(shared_->cancel.slot(), std::move(finish)));
    });
    return answer.get();
}

}  // namespace starling::sdk
