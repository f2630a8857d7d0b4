// Ctrl-C and SIGTERM as a wish to end, whichever node runs at that moment, and also while one ends and the next begins.
// A second one ends the program at once. POSIX; a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <mutex>
#include <thread>

namespace starling::cli {

class stop_signals {
  public:
    stop_signals();
    stop_signals(const stop_signals&) = delete;
    stop_signals& operator=(const stop_signals&) = delete;
    ~stop_signals();

    /// `stop` is called once, on the thread here, when one comes; at once when one has come. Empty: nobody. What was
    /// given before is not called any more when this returns.
    void tell(std::function<void()> stop);

    bool came() const;

  private:
    void on_signal();

    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    mutable std::mutex mutex_;
    std::function<void()> stop_;  // mutex_
    bool came_ = false;           // mutex_
    std::thread thread_;
};

}  // namespace starling::cli
