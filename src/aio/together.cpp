#include "aio/together.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace starling::aio {

namespace {

asio::awaitable<void> all_from(std::vector<asio::awaitable<void>>& tasks, std::size_t index) {
    if (index + 1 == tasks.size()) {
        co_await std::move(tasks[index]);
        co_return;
    }
    const auto executor = co_await asio::this_coro::executor;
    auto rest = all_from(tasks, index + 1);
    auto group =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(tasks[index]), asio::deferred),
                                                asio::co_spawn(executor, std::move(rest), asio::deferred));
    auto [order, failed_here, failed_rest] =
        co_await std::move(group).async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
    const auto& first = order[0] == 0 ? failed_here : failed_rest;
    const auto& second = order[0] == 0 ? failed_rest : failed_here;
    if (first || second) {
        std::rethrow_exception(first ? first : second);
    }
}

}  // namespace

asio::awaitable<std::size_t> first_of(asio::awaitable<void> a, asio::awaitable<void> b) {
    const auto executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(a), asio::deferred),
                                                         asio::co_spawn(executor, std::move(b), asio::deferred));
    auto [order, failed_a, failed_b] =
        co_await std::move(group).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto& failed = order[0] == 0 ? failed_a : failed_b;
    if (failed) {
        std::rethrow_exception(failed);
    }
    co_return order[0];
}

asio::awaitable<void> all_of(std::vector<asio::awaitable<void>> tasks) {
    if (!tasks.empty()) {
        co_await all_from(tasks, 0);
    }
}

}  // namespace starling::aio
