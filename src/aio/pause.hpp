// Waits, and does nothing else. A cancellation of the caller ends it with its exception.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace starling::aio {

boost::asio::awaitable<void> pause(std::chrono::steady_clock::duration time);

}  // namespace starling::aio
