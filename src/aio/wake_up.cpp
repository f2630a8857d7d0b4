#include "aio/wake_up.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace starling::aio {

namespace asio = boost::asio;

asio::awaitable<bool> wake_up::wait_until(std::chrono::steady_clock::time_point deadline) {
    const auto mine = waiting_.emplace(waiting_.end(), executor_, deadline);
    struct leave {
        std::list<asio::steady_timer>& from;
        std::list<asio::steady_timer>::iterator which;
        ~leave() { from.erase(which); }
    } const at_end{waiting_, mine};
    boost::system::error_code woken;
    co_await mine->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    co_return woken == asio::error::operation_aborted;
}

void wake_up::notify() {
    for (asio::steady_timer& timer : waiting_) {
        timer.cancel();
    }
}

}  // namespace starling::aio
