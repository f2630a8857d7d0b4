// What a generator has done, for `engine::engine_load`. Thread-safe: streams count, anybody reads.
#pragma once

#include "engine/types.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace starling::upstream {

/// Tokens per second over the last few whole seconds. The time is passed in.
class token_rate {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    void count(std::int32_t tokens, time_point now);
    double per_second(time_point now) const;

  private:
    static constexpr std::int64_t window_s = 5;  // long enough to be steady, short enough to show an idle server

    struct bucket {
        std::int64_t second = -1;
        std::int64_t tokens = 0;
    };

    mutable std::mutex mutex_;
    std::array<bucket, static_cast<std::size_t>(window_s) + 1> buckets_{};
};

struct usage_counters {
    std::atomic<std::int32_t> busy{0};
    std::atomic<std::uint64_t> prompt_tokens{0};
    std::atomic<std::uint64_t> generated_tokens{0};
    std::atomic<std::uint64_t> cached_tokens{0};
    std::atomic<std::uint64_t> cancelled{0};
    token_rate rate;

    engine::engine_load snapshot(token_rate::time_point now) const;
};

}  // namespace starling::upstream
