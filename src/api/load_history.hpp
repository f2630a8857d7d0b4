// How the load of each node was over the last half hour. Pure. Owner: api::server; network executor.
#pragma once

#include "api/mesh_view.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace starling::api {

/// Percent of what is in use (of the queue: of what is free), as in route::health. 16 bytes: a thousand nodes take 6
/// MB.
struct load_sample {
    std::uint32_t unix_s = 0;
    std::uint8_t cpu = 0;
    std::uint8_t memory = 0;
    std::uint8_t queue = 0;
    std::uint8_t score = 0;
    float rtt_ms = -1.0F;  // -1: not connected
};

class load_history {
  public:
    static constexpr std::chrono::seconds interval{5};
    static constexpr std::size_t samples = 360;   // half an hour
    static constexpr std::size_t nodes = 10'000;  // more are not remembered

    /// One look at all nodes. Those whose health is not known get no sample; those not heard of for so long that all of
    /// theirs are too old are forgotten.
    void add(std::int64_t unix_s, std::span<const peer_facts> all);

    /// The oldest first; null for a node that was never seen.
    const std::deque<load_sample>* of(std::string_view node_id) const;

  private:
    std::map<std::string, std::deque<load_sample>, std::less<>> by_node_;
};

}  // namespace starling::api
