#include "aio/run_on.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace starling::aio {
namespace {

namespace asio = boost::asio;

template <class T>
T run_here(asio::io_context& io, asio::awaitable<T> work) {
    std::optional<T> out;
    std::exception_ptr failed;
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& e, T value) {
        failed = e;
        out = std::move(value);
    });
    io.restart();
    io.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
    return std::move(*out);
}

asio::awaitable<std::thread::id> which_thread() {
    co_return std::this_thread::get_id();
}

asio::awaitable<int> fails() {
    throw std::runtime_error("no");
    co_return 0;
}

asio::awaitable<int> sleeps(std::chrono::microseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_return 1;
}

TEST(run_on, RunsThereAndComesBack) {
    asio::io_context io;
    asio::thread_pool pool(1);
    EXPECT_NE(run_here(io, run_on(pool.get_executor(), which_thread())), std::this_thread::get_id());
    EXPECT_THROW(run_here(io, run_on(pool.get_executor(), fails())), std::runtime_error);
}

TEST(run_on, ACancellationReachesTheWork) {
    asio::io_context io;
    asio::thread_pool pool(1);
    asio::cancellation_signal stop;
    std::exception_ptr ended;
    asio::co_spawn(io, run_on(pool.get_executor(), sleeps(std::chrono::hours(1))),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& e, int) { ended = e; }));
    asio::post(io, [&] { stop.emit(asio::cancellation_type::terminal); });
    io.run();
    EXPECT_TRUE(ended);
}

// Cancellations that come while the work ends, from every side of that moment. The sanitizers watch.
TEST(run_on, ACancellationMayComeAtTheEnd) {
    asio::io_context io;
    asio::thread_pool pool(1);
    for (int round = 0; round < 2000; ++round) {
        auto stop = std::make_unique<asio::cancellation_signal>();
        bool ended = false;
        asio::co_spawn(
            io, run_on(pool.get_executor(), sleeps(std::chrono::microseconds(round % 50))),
            asio::bind_cancellation_slot(stop->slot(), [&](const std::exception_ptr&, int) { ended = true; }));
        asio::steady_timer later(io, std::chrono::microseconds(round % 70));
        later.async_wait([&](const boost::system::error_code&) { stop->emit(asio::cancellation_type::terminal); });
        io.restart();
        io.run();
        EXPECT_TRUE(ended);
    }
}

}  // namespace
}  // namespace starling::aio
