#include "route/request_rate.hpp"

namespace starling::route {

namespace {

std::int64_t second_of(steady_time now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void request_rate::count(steady_time now) {
    const auto second = second_of(now);
    auto& slot = buckets_[static_cast<std::size_t>(second) % window_s];
    if (slot.second != second) {
        slot = bucket{second, 0};
    }
    ++slot.requests;
}

double request_rate::per_minute(steady_time now) const {
    const auto oldest = second_of(now) - static_cast<std::int64_t>(window_s) + 1;
    double sum = 0.0;
    for (const auto& slot : buckets_) {
        if (slot.second >= oldest) {
            sum += slot.requests;
        }
    }
    return sum;
}

}  // namespace starling::route
