#include "route/demand_table.hpp"

#include <algorithm>

namespace starling::route {

void demand_table::count(std::string_view model, steady_time now) {
    auto found = models_.find(model);
    if (found == models_.end()) {
        if (models_.size() == max_wanted_models) {
            models_.erase(std::min_element(models_.begin(), models_.end(),
                                           [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
        }
        found = models_.emplace(std::string(model), entry{}).first;
    }
    ++found->second.requests;
    found->second.rate.count(now);
    found->second.last = now;
}

std::vector<model_demand> demand_table::snapshot(steady_time now) const {
    std::vector<model_demand> out;
    for (const auto& [model, one] : models_) {
        out.push_back({.model = model,
                       .requests = one.requests,
                       .rate_per_min = one.rate.per_minute(now),
                       .last_active_s = std::chrono::duration<double>(now - one.last).count()});
    }
    return out;
}

}  // namespace starling::route
