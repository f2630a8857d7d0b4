// Requests per minute, over the last minute: sixty buckets of one second. Pure: the time is passed in.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace starling::route {

using steady_time = std::chrono::steady_clock::time_point;

class request_rate {
  public:
    void count(steady_time now);
    double per_minute(steady_time now) const;

  private:
    static constexpr std::size_t window_s = 60;  // the rate is told per minute, so it looks back one minute

    struct bucket {
        std::int64_t second = -1;
        std::uint32_t requests = 0;
    };
    std::array<bucket, window_s> buckets_{};
};

}  // namespace starling::route
