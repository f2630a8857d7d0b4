// Evens out a plan that is as good as the best: a prompt goes through the stages piece by piece, as fast as the slowest
// of them, and of plans with the same time for a token the one whose stages take equally long is the best at it. The
// times are estimates anyway, and differ by less than they are off. Internal to plan.
#pragma once

#include "plan/order.hpp"
#include "plan/problem.hpp"

namespace starling::plan {

/// What a token may take longer for it.
inline constexpr double level_cost = 1.02;

/// The same machines in the same order; their ranges are moved by a cut at a time for as long as the slowest stage
/// becomes faster.
cut_chain level(const problem& of, cut_chain chain);

}  // namespace starling::plan
