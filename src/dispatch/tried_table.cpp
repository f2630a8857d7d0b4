#include "dispatch/tried_table.hpp"

#include <algorithm>

namespace starling::dispatch {

void tried_table::gave_up_on(const node_id& node, const std::shared_ptr<engine::generator>& generator) {
    std::erase_if(given_up_, [&](const entry& one) { return one.node == node; });
    given_up_.push_back({.node = node, .generator = generator});
}

bool tried_table::excludes(const node_id& node, const std::shared_ptr<engine::generator>& generator) const {
    const auto same = [&](const entry& one) {
        return one.node == node && !one.generator.owner_before(generator) && !generator.owner_before(one.generator);
    };
    return std::find(asked_.begin(), asked_.end(), node) != asked_.end() ||
           std::any_of(given_up_.begin(), given_up_.end(), same);
}

}  // namespace starling::dispatch
