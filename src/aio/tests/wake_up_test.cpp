#include "aio/wake_up.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <vector>

namespace starling::aio {

namespace asio = boost::asio;
using std::chrono::steady_clock;

asio::awaitable<void> wait_for_it(wake_up& on, steady_clock::time_point deadline, std::vector<bool>& outcomes) {
    const bool woken = co_await on.wait_until(deadline);
    outcomes.push_back(woken);
}

TEST(WakeUp, WakesEveryoneWhoWaits) {
    asio::io_context io;
    wake_up on(io.get_executor());
    std::vector<bool> outcomes;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(io, wait_for_it(on, steady_clock::time_point::max(), outcomes), asio::detached);
    }
    io.poll();
    EXPECT_TRUE(outcomes.empty());
    on.notify();
    io.run();
    EXPECT_EQ(outcomes, (std::vector<bool>{true, true, true}));
}

TEST(WakeUp, EachWaiterHasItsOwnDeadline) {
    asio::io_context io;
    wake_up on(io.get_executor());
    std::vector<bool> outcomes;
    asio::co_spawn(io, wait_for_it(on, steady_clock::time_point::max(), outcomes), asio::detached);
    asio::co_spawn(io, wait_for_it(on, steady_clock::now() + std::chrono::milliseconds(5), outcomes), asio::detached);
    while (outcomes.empty()) {
        io.run_one();
    }
    EXPECT_EQ(outcomes, (std::vector<bool>{false}));
    on.notify();
    io.run();
    EXPECT_EQ(outcomes, (std::vector<bool>{false, true}));
}

TEST(WakeUp, ACancelledWaiterThrowsAtItsNextWait) {
    asio::io_context io;
    wake_up on(io.get_executor());
    asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    auto waits_twice = [](wake_up& what) -> asio::awaitable<void> {
        co_await what.wait_until(steady_clock::time_point::max());
        co_await what.wait_until(steady_clock::time_point::max());
    };
    asio::co_spawn(io, waits_twice(on),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { thrown = e; }));
    io.poll();
    cancel.emit(asio::cancellation_type::terminal);
    io.run();
    EXPECT_TRUE(thrown);
    on.notify();  // nobody is left behind
}

}  // namespace starling::aio
