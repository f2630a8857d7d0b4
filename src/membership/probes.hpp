// Probe rounds and relays in flight: what a detector remembers of pings that are not answered yet.
#pragma once

#include "membership/types.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace starling::membership {

/// One round of our own: direct pings, and helpers that were asked to ping.
struct probe {
    std::uint64_t sequence = 0;
    node_id target;
    time_point next_ping;
    time_point deadline;
    int pings = 1;
    std::vector<node_id> helpers;
    std::vector<node_id> refused;  // helpers that are well and had no answer either

    bool is_helper(const node_id& id) const { return std::find(helpers.begin(), helpers.end(), id) != helpers.end(); }
};

/// One ping on behalf of `asker`.
struct relay {
    std::uint64_t sequence = 0;  // of our ping
    node_id target;
    node_id asker;
    std::uint64_t asked_sequence = 0;
    time_point deadline;
};

}  // namespace starling::membership
