#include "dispatch/watchdog.hpp"

namespace starling::dispatch {

watchdog::watchdog(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

watchdog::~watchdog() {
    state_->timer.cancel();
}

void watchdog::state::arm(aio::steady_time at) {
    armed = true;
    timer.expires_at(at);
    timer.async_wait([self = shared_from_this()](boost::system::error_code failed) {
        if (!failed) {
            self->fired();
        }
    });
}

void watchdog::state::fired() {
    armed = false;
    if (!waiting) {
        return;
    }
    if (std::chrono::steady_clock::now() < until) {
        arm(until);
        return;
    }
    late = true;
    stop.emit(asio::cancellation_type::terminal);
}

watchdog::wait::wait(state& of, aio::steady_time until, asio::cancellation_slot caller) : of_(of), caller_(caller) {
    of_.late = false;
    of_.waiting = true;
    of_.until = until;
    if (!of_.armed || of_.timer.expiry() > until) {
        of_.arm(until);
    }
    if (caller_.is_connected()) {
        caller_.assign([this](asio::cancellation_type type) { of_.stop.emit(type); });
    }
}

watchdog::wait::~wait() {
    of_.waiting = false;
    if (caller_.is_connected()) {
        caller_.clear();
    }
}

}  // namespace starling::dispatch
