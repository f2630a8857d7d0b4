#include "netlab/way.hpp"

#include "base/random.hpp"

#include <algorithm>

namespace starling::netlab {

namespace {

duration nanoseconds(double count) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
}

/// In [0, 1).
double unit(std::uint32_t bits) {
    return bits * 0x1.0p-32;
}

}  // namespace

std::optional<time_point> line::send(time_point now, std::size_t bytes) {
    if (ns_per_byte_ == 0) {
        return now;
    }
    const time_point begins = std::max(free_at_, now);
    if (begins - now > line_queue) {
        return std::nullopt;
    }
    free_at_ = begins + nanoseconds(ns_per_byte_ * static_cast<double>(bytes));
    return free_at_;
}

way::arrivals way::pass(time_point sent) {
    // One block for each frame, one number for each question: a setting that changes leaves the other answers alone.
    const auto [loss, duplicate, reorder, jitter] = philox4x32(key_, frames_++);
    if (unit(loss) < settings_.loss) {
        return {};
    }
    const duration extra = nanoseconds(unit(jitter) * static_cast<double>(settings_.jitter.count()));
    time_point at = std::max(not_before_, sent + settings_.delay + extra);
    if (unit(reorder) < settings_.reorder) {
        at += reorder_hold;
    } else {
        not_before_ = at;
    }
    return {.count = unit(duplicate) < settings_.duplicate ? std::size_t{2} : std::size_t{1}, .at = at};
}

}  // namespace starling::netlab
