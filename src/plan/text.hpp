// What is said about a plan, and about why there is none. Internal to plan.
#pragma once

#include "plan/problem.hpp"

#include <optional>
#include <string>

namespace starling::plan {

/// What can be refused without a search: nobody is there, nobody may coordinate, the split that was asked for cannot
/// be.
std::optional<error> refuse_early(const problem& of, const model_shape& model, const wish& what);

/// After a search that found nothing: what is needed, and what each machine has.
error refuse(const problem& of, const model_shape& model, const wish& what);

/// Why the plan is as it is.
std::string explain(const problem& of, const model_shape& model, const network& links, const wish& what,
                    const placement& plan);

}  // namespace starling::plan
