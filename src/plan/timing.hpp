// What a chain of stages gives: the formula of plan.hpp, in one place. Pure arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace starling::plan {

/// More groups than that are not worth their steps; a chain has at most 16 stages.
inline constexpr std::int64_t max_groups = 32;

struct stage_time {
    double layers_ms = 0.0;    // for one sequence
    double overhead_ms = 0.0;  // for each step
};

struct chain_time {
    std::vector<stage_time> stages;
    double latency_ms = 0.0;           // of all trips together
    double sequence_ms = 0.0;          // that each sequence of a step adds to the trips together
    double slowest_sequence_ms = 0.0;  // the largest share of one link in it
    double batch_share = 0.0;

    double compute_ms() const;
    double network_ms() const { return latency_ms + sequence_ms; }
    /// Time for one step of `sequences` around the chain.
    double cycle_ms(std::int64_t sequences) const;
    /// Time in which each of `streams` gets one token, when they are dealt into `groups`.
    double period_ms(std::int64_t streams, std::int64_t groups) const;
    /// The number of groups with the least period; the fewest of those that are equal.
    std::int64_t best_groups(std::int64_t streams) const;
};

}  // namespace starling::plan
