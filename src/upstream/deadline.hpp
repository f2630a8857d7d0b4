// Waiting with a deadline: the wait is cancelled when the time is over. For .cpp files only: the operators are heavy.
#pragma once

#include "aio/call_context.hpp"
#include "base/result.hpp"
#include "engine/errc.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace starling::upstream {

template <class T>
boost::asio::awaitable<result<T>> before(aio::steady_time deadline, boost::asio::awaitable<result<T>> work) {
    using namespace boost::asio::experimental::awaitable_operators;
    if (deadline == aio::steady_time::max()) {
        co_return co_await std::move(work);
    }
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, deadline);
    auto first = co_await (std::move(work) || timer.async_wait(boost::asio::use_awaitable));
    if (first.index() == 1) {
        co_return fail(engine::errc::deadline, "The upstream server did not answer before the request's deadline.");
    }
    co_return std::move(std::get<0>(first));
}

}  // namespace starling::upstream
