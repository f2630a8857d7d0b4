// Clusters drawn from a seed, the other planners that ours is compared with, and what a split really is: its memory and
// its chain, worked out here and not with the planner's own sums.
#pragma once

#include "chain_simulator.hpp"
#include "plan/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace starling::sim {

struct cluster {
    std::uint64_t seed = 0;
    plan::model_shape model;
    std::vector<plan::machine> machines;
    plan::network links;
    plan::wish wish;
};

using split = std::vector<plan::loaded_stage>;  // in the order of the layers; the coordinator's last

enum class model_size {
    usual,        // neither tiny for the largest machine nor far beyond all together
    beyond_each,  // no machine holds it alone
};

/// `least` to `most` machines of one to four sites, a model that about fits them, and who wants it.
cluster draw_cluster(std::uint64_t seed, std::size_t least, std::size_t most, model_size size = model_size::usual);

/// Small and awkward: few layers of unequal size, tight memory, irregular cuts, dear fixed parts.
cluster draw_awkward_cluster(std::uint64_t seed, std::size_t least, std::size_t most);

/// Whether the cuts are legal, every stage is within its machine's memory, and the last may coordinate.
bool fits(const cluster& of, const split& stages);

/// Whether anything fits: every order of every subset for up to six machines, else all suffixes that sets of machines
/// can hold, from the coordinator forwards.
bool anything_fits(const cluster& of);

/// How the whole cluster would share the layers by memory, by speed within memory; nothing when that does not fit.
/// The machine that was asked coordinates.
std::optional<split> by_memory(const cluster& of);
std::optional<split> by_speed(const cluster& of);

split split_of(const plan::placement& plan);
chain chain_of(const cluster& of, const split& stages);

}  // namespace starling::sim
