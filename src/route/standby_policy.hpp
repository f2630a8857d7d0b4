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

/// The first in rank loads it at once; the others only when those before them have not.
constexpr bool should_load(const standby_view& view) {
    return !view.served && view.last_wanted_s && *view.last_wanted_s < demand_counts_s &&
           view.waited >= patience_per_rank * static_cast<int>(view.rank);
}

}  // namespace starling::route
