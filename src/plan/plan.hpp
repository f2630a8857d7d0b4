// Who gets which layers of a model, and why. Pure: no clock, no file, no thread; the same input gives the same plan.
//
// A model is cut into contiguous ranges of layers, and each machine of the plan runs one of them. The coordinator runs
// the last: token ids go from it to the first stage, hidden states from stage to stage, the last of them back to it. So
// one stream gets a token every
//
//     sum of the one-way trips around the chain + sum of the stages' times
//
// and `groups` of sequences, each with one step in flight, get one step each every max(that, the sum of their times at
// the slowest stage). The plan that is found has the most tokens per second by this formula for the number of streams
// in the wish, among those that fit into memory; docs/splitting.md says how it is searched.
//
// In this order:
//   1. It fits. Weights, KV cache and compute buffers of each stage are within what its machine has, less a margin.
//      Among up to 16 machines a plan is found whenever there is one.
//   2. One machine rather than several: the one that is to coordinate if it fits there, else the fastest.
//   3. Ranges of `wish.previous` that are loaded stay where they are, unless a fresh plan is `stability_gain` better.
//   4. The most tokens per second.
//
// Called by: the command line (`starling plan`) and whoever forms a deployment.
#pragma once

#include "base/result.hpp"
#include "plan/errc.hpp"
#include "plan/types.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace starling::plan {

/// How much more a plan must promise before loaded layers are moved for it.
inline constexpr double stability_gain = 1.3;
/// How much more another coordinator must promise than the one that was wished for.
inline constexpr double coordinator_gain = 1.25;

struct stage_memory {
    std::uint64_t weight_bytes = 0;
    std::uint64_t kv_bytes = 0;  // with the state of recurrent layers
    std::uint64_t compute_bytes = 0;

    std::uint64_t total() const { return weight_bytes + kv_bytes + compute_bytes; }
};

struct stage {
    node_id node;
    std::string name;
    layer_range layers;
    stage_memory memory;
    std::uint64_t usable_bytes = 0;  // what the machine has for it, less the margin
    double ms_per_token = 0.0;       // of a step with one sequence
    double trip_ms = 0.0;            // from the stage before; for the first, from the coordinator
    bool loaded = false;             // it ran these very layers in the previous plan
};

struct placement {
    std::string model;
    std::vector<stage> stages;  // in the order of the layers; the last is the coordinator's
    double compute_ms = 0.0;    // of one token of one stream alone
    double network_ms = 0.0;
    double tokens_per_s = 0.0;        // one stream alone
    double total_tokens_per_s = 0.0;  // with all slots busy, in `groups`
    std::size_t groups = 1;           // that gives the most with all slots busy
    std::int64_t slots = 1;
    std::string reason;  // sentences for a person

    const stage& coordinator() const { return stages.back(); }
    double ms_per_token() const { return compute_ms + network_ms; }
};

/// Errors: one sentence with what is needed and what there is. errc::too_large names the machines and their memory.
result<placement> make_plan(const model_shape& model, std::span<const machine> machines, const network& links,
                            const wish& what);

/// What a plan gives, by the formula above: for plans that were made elsewhere. `stages`: machines and their ranges,
/// the coordinator's last, covering all layers. errc::invalid where they do not; whether they fit is not looked at.
result<placement> predict(const model_shape& model, std::span<const machine> machines, const network& links,
                          const wish& what, std::span<const loaded_stage> stages);

/// A table with one line for each stage, then the sums and the reason. Ends with a newline.
std::string to_table(const placement& plan);

/// Memory of one stage. `layers` within the model.
stage_memory memory_of(const model_shape& model, layer_range layers, const wish& what);

/// What a machine may give to a model under this wish.
std::uint64_t usable_bytes(const machine& one, const wish& what);

}  // namespace starling::plan
