#include "plan/types.hpp"

#include <algorithm>
#include <cmath>

namespace starling::plan {

namespace {

std::pair<node_id, node_id> key_of(const node_id& one, const node_id& other) {
    return one < other ? std::pair(one, other) : std::pair(other, one);
}

}  // namespace

void network::set(const node_id& one, const node_id& other, link between) {
    if (!std::isfinite(between.round_trip_ms) || between.round_trip_ms < 0.0) {
        between.round_trip_ms = assumed_round_trip_ms;
    }
    links_[key_of(one, other)] = between;
}

link network::between(const node_id& one, const node_id& other) const {
    if (one == other) {
        return {.round_trip_ms = 0.0, .bytes_per_s = 0.0};
    }
    const auto found = links_.find(key_of(one, other));
    return found == links_.end() ? link{} : found->second;
}

bool network::knows(const node_id& one, const node_id& other) const {
    return one == other || links_.contains(key_of(one, other));
}

}  // namespace starling::plan
