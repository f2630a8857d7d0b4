// How fast bytes come, over the last seconds. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace starling::models {

class rate_meter {
  public:
    using time = std::chrono::steady_clock::time_point;

    void add(time now, std::uint64_t bytes) {
        samples_.push_back({now, bytes});
        sum_ += bytes;
        forget(now);
    }

    double bytes_per_s(time now) {
        forget(now);
        if (samples_.empty()) {
            return 0.0;
        }
        const double seconds = std::chrono::duration<double>(now - samples_.front().when).count();
        // The first sample began before it came, so one alone says nothing.
        return seconds > 0.0 ? static_cast<double>(sum_ - samples_.front().bytes) / seconds : 0.0;
    }

  private:
    static constexpr std::chrono::seconds window{5};
    static constexpr std::size_t max_samples = 512;

    struct sample {
        time when;
        std::uint64_t bytes;
    };

    void forget(time now) {
        while (!samples_.empty() && (now - samples_.front().when > window || samples_.size() > max_samples)) {
            sum_ -= samples_.front().bytes;
            samples_.pop_front();
        }
    }

    std::deque<sample> samples_;
    std::uint64_t sum_ = 0;
};

}  // namespace starling::models
