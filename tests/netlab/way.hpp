// The line of one host into the network, and the way from there to another host. Pure: time comes in, decisions go out.
#pragma once

#include "netlab/types.hpp"

#include <optional>

namespace starling::netlab {

/// What waits for a line that has a rate: longer queues are dropped at their end, like in a router of usual size.
constexpr duration line_queue = std::chrono::milliseconds(200);

/// How long a reordered frame is held back: long enough to be overtaken at a few Mbit/s, too short to count as lost.
constexpr duration reorder_hold = std::chrono::milliseconds(2);

/// A host's line: everything that it sends goes out one after the other.
class line {
  public:
    explicit line(double rate_mbit) { set_rate(rate_mbit); }

    /// 0 is without limit.
    void set_rate(double mbit) { ns_per_byte_ = mbit > 0 ? 8e3 / mbit : 0; }

    /// When the last bit is out; nothing when the queue is full.
    std::optional<time_point> send(time_point now, std::size_t bytes);

  private:
    double ns_per_byte_ = 0;
    time_point free_at_{};
};

/// From one host to one other.
class way {
  public:
    /// The same key gives the same fate to the n-th frame, whatever other ways carry.
    way(way_settings settings, std::uint64_t key) : settings_(settings), key_(key) {}

    const way_settings& settings() const { return settings_; }

    /// For frames from now on: they may overtake those that are on their way.
    void set(way_settings settings) {
        settings_ = settings;
        not_before_ = {};
    }

    struct arrivals {
        std::size_t count = 0;  // 0 lost, 2 duplicated
        time_point at{};
    };

    arrivals pass(time_point sent);

  private:
    way_settings settings_;
    std::uint64_t key_;
    std::uint64_t frames_ = 0;
    time_point not_before_{};
};

}  // namespace starling::netlab
