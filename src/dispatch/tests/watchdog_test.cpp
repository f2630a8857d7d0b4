#include "dispatch/watchdog.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>

#include <functional>
#include <stdexcept>
#include <string>

namespace starling::dispatch {

using std::chrono::milliseconds;
using time_point = aio::steady_time;

time_point in(milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

asio::awaitable<result<int>> after(milliseconds time, int value) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_return value;
}

asio::awaitable<result<int>> at_once(int value) {
    co_return value;
}

/// Takes a cancellation as an error of its own, as a channel does.
asio::awaitable<result<int>> complains(milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    boost::system::error_code failed;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
    const error closed{std::make_error_code(std::errc::io_error), "closed"};
    co_return closed;
}

asio::awaitable<result<int>> throws() {
    throw std::runtime_error("a bug");
    co_return 0;
}

class watchdog_test : public testing::Test {
  public:
    std::exception_ptr run(asio::awaitable<void> test) {
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(test),
                       asio::bind_cancellation_slot(stop_.slot(), [&](std::exception_ptr e) { thrown = e; }));
        io_.run();
        return thrown;
    }

    asio::io_context io_{1};
    std::optional<watchdog> dog_{std::in_place, io_.get_executor()};
    asio::cancellation_signal stop_;
};

TEST_F(watchdog_test, WhatIsInTimeComesThrough) {
    const auto thrown = run([](watchdog_test& t) -> asio::awaitable<void> {
        for (int i = 0; i < 5; ++i) {
            auto work = after(milliseconds(8), i);
            auto got = co_await t.dog_->run(std::move(work), in(milliseconds(20)));
            EXPECT_TRUE(got && *got) << i;
            auto quick = at_once(i);
            got = co_await t.dog_->run(std::move(quick), in(milliseconds(20)));
            EXPECT_EQ(**got, i);
        }
    }(*this));
    EXPECT_FALSE(thrown);
}

TEST_F(watchdog_test, WhatIsLateIsGivenUp) {
    const auto began = std::chrono::steady_clock::now();
    const auto thrown = run([](watchdog_test& t) -> asio::awaitable<void> {
        auto quick = at_once(1);
        auto got = co_await t.dog_->run(std::move(quick), in(std::chrono::hours(1)));
        EXPECT_TRUE(got);
        auto work = after(std::chrono::hours(1), 1);
        got = co_await t.dog_->run(std::move(work), in(milliseconds(10)));
        EXPECT_FALSE(got);
        auto other = complains(std::chrono::hours(1));
        got = co_await t.dog_->run(std::move(other), in(milliseconds(10)));
        EXPECT_FALSE(got);
        auto again = after(milliseconds(1), 1);
        got = co_await t.dog_->run(std::move(again), in(milliseconds(500)));
        EXPECT_TRUE(got);
        auto error = complains(milliseconds(1));
        got = co_await t.dog_->run(std::move(error), in(milliseconds(500)));
        EXPECT_TRUE(got && !*got);
        t.dog_.reset();
    }(*this));
    EXPECT_FALSE(thrown);
    EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(20));
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(400)) << "nothing is left behind";
}

TEST_F(watchdog_test, AnExceptionComesThrough) {
    const auto thrown = run([](watchdog_test& t) -> asio::awaitable<void> {
        auto work = throws();
        co_await t.dog_->run(std::move(work), in(milliseconds(20)));
    }(*this));
    EXPECT_THROW(std::rethrow_exception(thrown), std::runtime_error);
}

TEST_F(watchdog_test, ACancelledCallerIsToldSoWhateverTheWorkSays) {
    for (const bool complain : {false, true}) {
        io_.restart();
        asio::steady_timer later(io_, milliseconds(5));
        later.async_wait([&](boost::system::error_code) { stop_.emit(asio::cancellation_type::terminal); });
        bool went_on = false;
        const auto thrown = run([](watchdog_test& t, bool complaining, bool& on) -> asio::awaitable<void> {
            // Made where it is used: an assignment would lose the first one (Boost 1.81).
            auto work = complaining ? complains(std::chrono::hours(1)) : after(std::chrono::hours(1), 1);
            co_await t.dog_->run(std::move(work), in(milliseconds(300)));
            on = true;
        }(*this, complain, went_on));
        EXPECT_TRUE(thrown);
        EXPECT_FALSE(went_on);
    }
}

}  // namespace starling::dispatch
