// How much each model is asked for at this node, whether anybody serves it or not. Pure: times are passed in. Owner
// thread: the network executor.
#pragma once

#include "route/request_rate.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace starling::route {

/// Names come from clients: more than these, and the one that was asked for longest ago is forgotten.
inline constexpr std::size_t max_wanted_models = 256;

struct model_demand {
    std::string model;
    std::uint64_t requests = 0;
    double rate_per_min = 0.0;
    double last_active_s = 0.0;
};

class demand_table {
  public:
    void count(std::string_view model, steady_time now);
    std::vector<model_demand> snapshot(steady_time now) const;

  private:
    struct entry {
        std::uint64_t requests = 0;
        request_rate rate;
        steady_time last;
    };
    std::map<std::string, entry, std::less<>> models_;
};

}  // namespace starling::route
