// What every call carries: who asked, and until when. Cancellation needs no field: dropping the stream that a call
// returned cancels it, all the way down.
#pragma once

#include <chrono>
#include <string>
#include <utility>

namespace starling::aio {

using steady_time = std::chrono::steady_clock::time_point;

struct call_context {
    call_context() = default;
    // No aggregate: gcc 12 copies aggregate temporaries of a co_await expression bit by bit into the coroutine.
    explicit call_context(std::string id, steady_time until = steady_time::max())
        : request_id(std::move(id)), deadline(until) {}

    std::string request_id;
    steady_time deadline = steady_time::max();
};

}  // namespace starling::aio
