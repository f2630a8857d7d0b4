#include "stop_signals.hpp"

#include <csignal>
#include <utility>

namespace starling::cli {

stop_signals::stop_signals() : signals_(io_, SIGINT, SIGTERM) {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int) {
        if (!cancelled) {
            on_signal();
        }
    });
    thread_ = std::thread([this] { io_.run(); });
}

stop_signals::~stop_signals() {
    io_.stop();
    thread_.join();
}

void stop_signals::on_signal() {
    signals_.clear();  // a second one ends the program at once
    const std::scoped_lock lock(mutex_);
    came_ = true;
    if (stop_) {
        stop_();
    }
}

void stop_signals::tell(std::function<void()> stop) {
    const std::scoped_lock lock(mutex_);
    stop_ = std::move(stop);
    if (came_ && stop_) {
        stop_();
    }
}

bool stop_signals::came() const {
    const std::scoped_lock lock(mutex_);
    return came_;
}

}  // namespace starling::cli
