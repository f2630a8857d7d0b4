// A chain of stages in virtual time: groups of sequences go round, stages serve one step at a time, links delay and
// serialise. It judges plans, so it knows nothing of how they are made or predicted: everything happens event by event.
#pragma once

#include <cstdint>
#include <vector>

namespace starling::sim {

struct stage_server {
    double step_ms = 0.0;     // whatever is in the step
    double first_ms = 0.0;    // for its first sequence
    double further_ms = 0.0;  // for each one more
};

/// The way into a stage, from the one before it; into the first, from the coordinator, who runs the last.
struct wire {
    double delay_ms = 0.0;
    double sequence_ms = 0.0;  // to put one sequence onto it; one step after the other
};

struct chain {
    std::vector<wire> wires;  // as many as stages
    std::vector<stage_server> stages;
};

struct chain_load {
    std::uint64_t streams = 1;
    std::uint64_t groups = 1;  // streams are dealt into them as evenly as it goes
    std::uint64_t rounds = 300;
    std::uint64_t warm_up_rounds = 50;
    double jitter = 0.0;  // each service and each delay is longer or shorter by up to this share
    std::uint64_t seed = 1;
};

struct chain_outcome {
    double tokens_per_s = 0.0;
    double busiest_stage = 0.0;  // share of the time that the busiest stage works
};

chain_outcome simulate(const chain& what, const chain_load& load);

}  // namespace starling::sim
