#include "dispatch/in_flight_table.hpp"

#include <algorithm>

namespace starling::dispatch {

void in_flight_table::begin(const node_and_model& at) {
    ++running_[at];
}

void in_flight_table::end(const node_and_model& at) {
    const auto found = running_.find(at);
    if (found != running_.end() && --found->second == 0) {
        running_.erase(found);
    }
}

std::int32_t in_flight_table::count(const node_and_model& at) const {
    const auto found = running_.find(at);
    return found == running_.end() ? 0 : found->second;
}

route::worker_view with_own(route::worker_view seen, std::int32_t own) {
    if (own > seen.busy + seen.queued) {
        seen.busy = std::max(seen.busy, std::min(own, seen.slots));
        seen.queued = own - seen.busy;
    }
    return seen;
}

}  // namespace starling::dispatch
