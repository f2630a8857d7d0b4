// Which machines, in which order. Internal to plan.
//
// Few machines: every ordered subset is tried. Many: the orders that make the model fit (feasible.hpp) and those by
// speed, memory and nearness begin; the best of them are improved by exchanging, moving, adding and dropping machines
// until nothing helps, or a fixed number of orders was looked at. The number is counted, not timed, so that the same
// input gives the same plan on every machine.
#pragma once

#include "plan/order.hpp"
#include "plan/problem.hpp"

#include <cstddef>
#include <optional>

namespace starling::plan {

struct search_bounds {
    std::size_t min_stages = 1;
    std::size_t max_stages = plan::max_stages;
};

/// The best that was found; nothing only if there is none.
std::optional<cut_chain> search(const problem& of, objective wanted, search_bounds bounds);

}  // namespace starling::plan
