// Whether the model fits over these machines at all, and how: exact, over every subset and every order. Internal to
// plan.
//
// For a set of machines, let best(set) be the furthest cut up to which they can hold the model in some order. A machine
// that begins further on also reaches at least as far, since the layers it would hold are among those it held before.
// So best(set) is the maximum over the machine that comes last in it of what that one reaches from best(set without
// it): 2^n x n steps. The model fits if for some machine that may coordinate, the others reach the cut from which it
// can hold the rest. Machines differ in memory alone here, so of many machines those with the most suffice.
#pragma once

#include "plan/problem.hpp"

#include <cstddef>
#include <vector>

namespace starling::plan {

/// Subsets are counted out: more machines than that are narrowed to those with the most memory.
inline constexpr std::size_t max_exhaustive = 16;

/// Orders (the coordinator last) over which the model fits: for each coordinator with which it does, one with the
/// fewest stages. Empty: it fits nowhere, with at most `max_stages`.
std::vector<std::vector<std::size_t>> feasible_orders(const problem& of);

/// The same with exactly so many stages, each with at least one unit; the first found for each coordinator.
std::vector<std::vector<std::size_t>> feasible_orders(const problem& of, std::size_t stages);

}  // namespace starling::plan
