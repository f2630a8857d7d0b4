#include "aio/task_scope.hpp"
#include "aio/together.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>

namespace starling::aio {
namespace {

using namespace std::chrono_literals;

struct count_down {
    explicit count_down(int& counted) : alive(counted) { ++alive; }
    ~count_down() { --alive; }
    count_down(const count_down&) = delete;
    count_down& operator=(const count_down&) = delete;
    int& alive;
};

asio::awaitable<void> sleep_for(std::chrono::milliseconds time, int& alive) {
    const count_down guard(alive);
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> fail_after(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    throw std::runtime_error("broken");
}

asio::awaitable<void> stop_scope(task_scope& scope, bool& joined) {
    scope.cancel();
    co_await scope.join();
    joined = true;
}

TEST(task_scope, cancelling_ends_every_task_and_join_waits_for_them) {
    asio::io_context io;
    int alive = 0;
    bool joined = false;
    task_scope scope(io.get_executor());
    for (int i = 0; i < 10; ++i) {
        scope.spawn(sleep_for(1h, alive));
    }
    io.poll();
    EXPECT_EQ(alive, 10);
    EXPECT_EQ(scope.running(), 10U);
    asio::co_spawn(io, stop_scope(scope, joined), asio::detached);
    io.run_for(5s);
    EXPECT_TRUE(joined);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(scope.running(), 0U);
}

TEST(task_scope, a_task_after_cancel_never_starts) {
    asio::io_context io;
    int alive = 0;
    task_scope scope(io.get_executor());
    scope.cancel();
    scope.spawn(sleep_for(1h, alive));
    io.run_for(1s);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(scope.running(), 0U);
}

TEST(task_scope, a_failure_is_told_and_a_cancellation_is_not) {
    asio::io_context io;
    int failures = 0;
    int alive = 0;
    task_scope scope(io.get_executor(), [&](std::exception_ptr) { ++failures; });
    scope.spawn(fail_after(1ms));
    scope.spawn(sleep_for(1h, alive));
    io.run_for(20ms);
    EXPECT_EQ(failures, 1);
    scope.cancel();
    io.restart();
    io.run_for(1s);
    EXPECT_EQ(failures, 1);
    EXPECT_EQ(alive, 0);
}

asio::awaitable<void> join_briefly(task_scope& scope, std::chrono::milliseconds time, int& answer) {
    answer = co_await scope.join_for(time) ? 1 : 0;
}

TEST(task_scope, join_for_gives_up_in_time) {
    asio::io_context io;
    int alive = 0;
    int slow = -1;
    int quick = -1;
    task_scope scope(io.get_executor());
    task_scope done(io.get_executor());
    scope.spawn(sleep_for(1h, alive));
    done.spawn(sleep_for(1ms, alive));
    asio::co_spawn(io, join_briefly(scope, 20ms, slow), asio::detached);
    asio::co_spawn(io, join_briefly(done, 5s, quick), asio::detached);
    io.run_for(2s);
    EXPECT_EQ(slow, 0);
    EXPECT_EQ(quick, 1);
    scope.cancel();
    io.restart();
    io.run_for(1s);
    EXPECT_EQ(alive, 0);
}

asio::awaitable<void> race(int& alive, std::size_t& winner) {
    winner = co_await first_of(sleep_for(1h, alive), sleep_for(1ms, alive));
}

TEST(together, the_first_to_end_cancels_the_other) {
    asio::io_context io;
    int alive = 0;
    std::size_t winner = 9;
    asio::co_spawn(io, race(alive, winner), asio::detached);
    io.run_for(5s);
    EXPECT_EQ(winner, 1U);
    EXPECT_EQ(alive, 0);
}

asio::awaitable<void> race_with_failure(int& alive) {
    co_await first_of(fail_after(1ms), sleep_for(1h, alive));
}

asio::awaitable<void> all_with_failure(int& alive) {
    std::vector<asio::awaitable<void>> tasks;
    for (int i = 0; i < 5; ++i) {
        tasks.push_back(sleep_for(1h, alive));
    }
    tasks.push_back(fail_after(1ms));
    co_await all_of(std::move(tasks));
}

template <class Task>
std::string message_of_failure(asio::io_context& io, Task task) {
    std::string message = "none";
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure) {
        try {
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& e) {
            message = e.what();
        }
    });
    io.run_for(5s);
    return message;
}

TEST(together, a_failure_cancels_the_others_and_is_passed_on) {
    int alive = 0;
    asio::io_context first;
    EXPECT_EQ(message_of_failure(first, race_with_failure(alive)), "broken");
    asio::io_context second;
    EXPECT_EQ(message_of_failure(second, all_with_failure(alive)), "broken");
    EXPECT_EQ(alive, 0);
}

asio::awaitable<void> all_brief(int& alive, bool& done) {
    std::vector<asio::awaitable<void>> tasks;
    for (int i = 1; i <= 8; ++i) {
        tasks.push_back(sleep_for(std::chrono::milliseconds(i), alive));
    }
    co_await all_of(std::move(tasks));
    co_await all_of({});
    done = true;
}

TEST(together, all_of_waits_for_each) {
    asio::io_context io;
    int alive = 0;
    bool done = false;
    asio::co_spawn(io, all_brief(alive, done), asio::detached);
    io.run_for(5s);
    EXPECT_TRUE(done);
    EXPECT_EQ(alive, 0);
}

TEST(together, cancelling_the_caller_cancels_what_runs_inside) {
    asio::io_context io;
    int alive = 0;
    std::size_t winner = 9;
    task_scope scope(io.get_executor());
    scope.spawn(race(alive, winner));
    scope.spawn(all_with_failure(alive));
    io.poll();
    EXPECT_GT(alive, 1);
    scope.cancel();
    io.restart();
    io.run_for(1s);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(winner, 9U);
}

}  // namespace
}  // namespace starling::aio
