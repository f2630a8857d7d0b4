// What this node itself has running on each worker. Reports of workers are seconds old, so a burst of requests that all
// look at the same report would run to the same worker; what we sent there since is known here at once. Pure.
#pragma once

#include "base/node_id.hpp"
#include "route/worker_policy.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace starling::dispatch {

using node_and_model = std::pair<node_id, std::string>;

class in_flight_table {
  public:
    void begin(const node_and_model& at);
    void end(const node_and_model& at);
    std::int32_t count(const node_and_model& at) const;

  private:
    std::map<node_and_model, std::int32_t> running_;  // no zeros
};

/// `seen`, as it must be at least when `own` requests of ours are there: what does not fit its slots waits.
route::worker_view with_own(route::worker_view seen, std::int32_t own);

}  // namespace starling::dispatch
