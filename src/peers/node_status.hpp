// What a node tells the nodes that it is connected to: how well it is, what it serves, and what is asked of it. As JSON
// messages: `status` asks, `status_response` answers, at once and again whenever something has changed. Pure, fuzzed.
#pragma once

#include "base/result.hpp"
#include "engine/types.hpp"
#include "route/demand_table.hpp"
#include "route/health.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace starling::peers {

inline constexpr std::size_t max_told_models = 256;       // of one node; a page in any list
inline constexpr std::size_t max_status_bytes = 1 << 18;  // 256 models with their loads, and the same of demand

enum class readiness {
    ready,
    loading,
    standby,  // would be loaded if it were wanted
};

const char* to_string(readiness of);

struct told_model {
    engine::model_info info;  // without its source: where a file lies is nobody's business
    std::string content;      // what two nodes must share to go on with each other's answers; empty: cannot be told
    readiness state = readiness::loading;
    engine::engine_load load;
};

struct node_status {
    route::health health;
    std::vector<told_model> models;
    std::vector<route::model_demand> demand;  // of this node's own clients
};

std::string to_json(const node_status& from);

/// Missing fields have their defaults, lists are cut at max_told_models. Error: wire::errc::malformed.
result<node_status> parse_status(std::string_view text);

/// Is it worth telling at once? Small moves of the score and counters of demand wait for the next regular time.
bool differs(const node_status& told, const node_status& now);

}  // namespace starling::peers
