// When a node loads a model that it has only in reserve. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace starling::route {

/// A request that old no longer says that the model is wanted.
inline constexpr double demand_counts_s = 60.0;
/// So long each of those that come first has time to say that it is loading.
inline constexpr std::chrono::seconds patience_per_rank{10};

struct standby_view {
    bool served = false;                     // by somebody, or somebody is loading it
    std::optional<double> last_wanted_s;     // since the last request for it anywhere; nothing: never
    std::size_t rank = 0;                    // how many others have it in reserve and come before this node
    std::chrono::duration<double> waited{};  // since it has been wanted and not served
};

/// What others tell of their requests is so old at most; so much longer ago they may really have been.
inline constexpr double told_demand_age_s = 6.0;

enum class demand_source { this_node, another_node };

/// Whether a request brings back a model that a person unloaded: those that came before that do not.
constexpr bool is_after_unload(double request_age_s, double unloaded_for_s, demand_source by) {
    return request_age_s + (by == demand_source::another_node ? told_demand_age_s : 0.0) < unloaded_for_s;
}

/// The first in rank loads it at once; the others only when those before them have not.
constexpr bool should_load(const standby_view& view) {
    return !view.served && view.last_wanted_s && *view.last_wanted_s < demand_counts_s &&
           view.waited >= patience_per_rank * static_cast<int>(view.rank);
}

}  // namespace starling::route
