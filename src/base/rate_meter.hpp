// Events per second over the last few seconds. Time comes in with every call; not synchronised.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace starling {

class rate_meter {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    void add(time_point now, std::uint64_t count) {
        roll(now);
        bins_[static_cast<std::size_t>(second_ % window)] += count;
    }

    /// Mean over the last full seconds of the window.
    double per_second(time_point now) {
        roll(now);
        std::uint64_t sum = 0;
        for (std::int64_t back = 1; back < window; ++back) {
            sum += second_ >= back ? bins_[static_cast<std::size_t>((second_ - back) % window)] : 0;
        }
        return static_cast<double>(sum) / static_cast<double>(window - 1);
    }

  private:
    static constexpr std::int64_t window = 6;

    void roll(time_point now) {
        const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        if (second - second_ >= window) {
            bins_.fill(0);
            second_ = second;
        }
        while (second_ < second) {
            ++second_;
            bins_[static_cast<std::size_t>(second_ % window)] = 0;
        }
    }

    std::array<std::uint64_t, static_cast<std::size_t>(window)> bins_{};
    std::int64_t second_ = 0;
};

}  // namespace starling
