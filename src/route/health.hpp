// How much a node can take: the score that routing and status are built on. Pure arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>

namespace starling::route {

/// Measured by the node; both in percent, 0 … 100.
struct machine_load {
    double cpu_percent = 0.0;
    double memory_percent = 0.0;
};

enum class health_state { healthy, busy, overloaded };

constexpr const char* to_string(health_state state) {
    switch (state) {
        case health_state::healthy: return "healthy";
        case health_state::busy: return "busy";
        case health_state::overloaded: return "overloaded";
    }
    return "overloaded";
}

struct health {
    double score = 0.0;  // 0 … 100
    health_state state = health_state::overloaded;
    double cpu_percent = 0.0;
    double memory_percent = 0.0;
    double queue_availability_percent = 100.0;
};

inline constexpr double healthy_above = 60.0;
inline constexpr double overloaded_below = 20.0;  // such a node refuses work that others can do

/// score = (100 - cpu) * 0.4 + (100 - memory) * 0.4 + queue availability * 0.2. `queue_limit` 0: nothing can wait
/// here, so nothing is in the way.
constexpr health assess(machine_load machine, std::int64_t queued, std::int64_t queue_limit) {
    health h;
    h.cpu_percent = std::clamp(machine.cpu_percent, 0.0, 100.0);
    h.memory_percent = std::clamp(machine.memory_percent, 0.0, 100.0);
    if (queue_limit > 0) {
        const double taken = static_cast<double>(std::min(queued, queue_limit)) / static_cast<double>(queue_limit);
        h.queue_availability_percent = 100.0 * (1.0 - taken);
    }
    h.score = (100.0 - h.cpu_percent) * 0.4 + (100.0 - h.memory_percent) * 0.4 + h.queue_availability_percent * 0.2;
    h.state = h.score > healthy_above      ? health_state::healthy
              : h.score < overloaded_below ? health_state::overloaded
                                           : health_state::busy;
    return h;
}

}  // namespace starling::route
