// Whose layers went to whom between two plans of a model. Pure.
#pragma once

#include "deployment/types.hpp"

#include <optional>

namespace starling::deployment {

struct takeover {
    node_id from;
    node_id to;

    bool operator==(const takeover&) const = default;
};

/// The first node of `before` that is not in `after`, and who has its first layer now. Nothing where nobody is gone.
std::optional<takeover> takeover_between(const plan& before, const plan& after);

}  // namespace starling::deployment
