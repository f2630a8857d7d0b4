// How fast each worker was with each model, as this node saw it: moving averages over completed streams, in the terms
// of route::worker_view (one stream alone). Pure.
#pragma once

#include "dispatch/in_flight_table.hpp"
#include "dispatch/lru_map.hpp"

#include <cstddef>
#include <cstdint>

namespace starling::dispatch {

inline constexpr std::size_t max_measured = 4'096;  // nodes times models; the ones used last
inline constexpr std::int32_t least_prefill = 32;   // tokens; below, the time is that of a step and not of tokens
inline constexpr std::int32_t least_decode = 8;     // tokens; below, one pause decides the figure
inline constexpr double weight_of_newest = 0.3;     // a few streams settle it, one odd stream does not upset it

/// What one worker did for one stream.
struct speed_sample {
    std::int32_t prefill_tokens = 0;  // computed, not cached
    double prefill_ms = 0.0;
    std::int32_t decode_tokens = 0;  // drawn by this worker
    double decode_ms = 0.0;
    double beside = 0.0;  // other streams that the worker decoded at the time, on average
};

class speed_table {
  public:
    void learn(const node_and_model& of, const speed_sample& sample);

    /// Fills in what was measured; leaves the worker's own figures where nothing was.
    void apply(const node_and_model& of, route::worker_view& view);

  private:
    struct speeds {
        double prefill = 0.0;  // tokens per second; 0: not measured
        double decode = 0.0;
    };
    lru_map<node_and_model, speeds> measured_{max_measured};
};

}  // namespace starling::dispatch
