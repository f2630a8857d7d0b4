// The words of netlab: hosts, frames, what the way from one host to another is like, and what a person may ask for.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace starling::netlab {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// Counted from 0 in the program; names, addresses and commands count from 1.
using host_index = std::size_t;

constexpr host_index hosts_max = 250;  // what 10.77.0.0/24 holds, with a few addresses to spare

/// An Ethernet frame with the usual MTU of 1500 and, if need be, a VLAN tag.
struct frame {
    static constexpr std::size_t capacity = 1536;

    std::size_t size = 0;
    std::array<std::byte, capacity> bytes;
};
using frame_pointer = std::unique_ptr<frame>;

/// The way from one host to another. Shares are of 1.
struct way_settings {
    duration delay{};
    duration jitter{};  // each frame takes up to so much longer, evenly distributed; order is kept
    double loss = 0;
    double duplicate = 0;
    double reorder = 0;  // held back for a moment, so that those behind overtake
};

enum class verb { cut, heal, block, delay, jitter, loss, duplicate, reorder, rate, stats };

/// One line of the control socket. Settings are about every way (no host), one host's line, or both ways between two
/// hosts; `block` about the way from the first to the second.
struct command {
    verb what{};
    std::vector<host_index> hosts;
    double value = 0;  // milliseconds, percent or Mbit/s
};

/// What became of the frames that a host sent, and what it was given. A frame to everyone is dropped for each host.
struct host_counters {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t received_frames = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t dropped_cut = 0;
    std::uint64_t dropped_loss = 0;
    std::uint64_t dropped_queue = 0;
    std::uint64_t dropped_unknown = 0;  // to an address that no host has

    std::uint64_t dropped() const { return dropped_cut + dropped_loss + dropped_queue + dropped_unknown; }
};

}  // namespace starling::netlab
