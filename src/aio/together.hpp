// Coroutines that run side by side inside one call, and never outlive it: cancelling the caller cancels them, and the
// call returns only when both have ended.
//
// Callers make the coroutines first, as variables, and move them in; and no co_await stands in the condition of an
// `if`: gcc 12 lays out the frame of a coroutine wrongly when temporaries that need destruction meet in such a
// condition.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <vector>

namespace starling::aio {

namespace asio = boost::asio;

/// Runs both until one ends, by returning or by throwing; cancels the other and waits for it. Gives which one ended
/// first (0 or 1), and passes its exception on.
asio::awaitable<std::size_t> first_of(asio::awaitable<void> a, asio::awaitable<void> b);

/// Runs all until each has ended. The first exception cancels the others and is passed on.
asio::awaitable<void> all_of(std::vector<asio::awaitable<void>> tasks);

}  // namespace starling::aio
