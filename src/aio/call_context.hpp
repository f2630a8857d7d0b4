// What every call carries: who asked, and until when. Cancellation needs no field: dropping the stream that a call
// returned cancels it, all the way down.
#pragma once

#include <chrono>
#include <string>

namespace starling::aio {

using steady_time = std::chrono::steady_clock::time_point;

struct call_context {
    std::string request_id;
    steady_time deadline = steady_time::max();
};

}  // namespace starling::aio
