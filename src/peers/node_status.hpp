// What a node tells the nodes that it is connected to: how well it is, what it serves, and what is asked of it. As JSON
// messages: `status` asks, `status_response` answers, at once and again whenever something has changed. Pure, fuzzed.
#pragma once

#include "base/node_id.hpp"
#include "base/result.hpp"
#include "deployment/claim_codec.hpp"
#include "engine/types.hpp"
#include "route/demand_table.hpp"
#include "route/health.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace starling::peers {

inline constexpr std::size_t max_told_models = 256;       // of one node; a page in any list
inline constexpr std::size_t max_status_bytes = 1 << 19;  // 256 models with their loads, as many files, and demand

inline constexpr std::size_t max_told_files = 256;
inline constexpr std::size_t max_told_links = 64;   // more nodes than a split has stages
inline constexpr std::size_t max_told_stages = 32;  // a node takes fewer
inline constexpr std::size_t max_told_claims = 16;  // a node coordinates one or two

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

/// A model file of a node, or a part of one, from which it can load layers.
struct told_file {
    std::string content;  // of the whole model: models::content_id
    std::int32_t first_layer = 0;
    std::int32_t end_layer = 0;
    std::int32_t layers = 0;  // of the whole

    bool operator==(const told_file&) const = default;
};

/// A round trip between two nodes, which those who plan a split cannot measure themselves.
struct told_link {
    node_id to;
    double round_trip_ms = 0.0;
};

/// A part of a model that a node computes for the mesh.
struct told_stage {
    std::string content;
    std::int32_t first_layer = 0;
    std::int32_t end_layer = 0;
    std::uint64_t memory_bytes = 0;
    double ms_per_token = 0.0;  // lately; 0: nothing computed yet
    bool ready = false;
};

/// What a node lends for parts of models of the mesh. Nothing but zeros: it takes none.
struct node_offer {
    std::uint64_t memory_bytes = 0;  // free for models, now
    double read_bytes_per_s = 0.0;   // of weights, while it decodes
    std::vector<told_file> files;    // at most max_told_files
    std::vector<told_link> links;    // at most max_told_links
    std::vector<told_stage> stages;  // at most max_told_stages
};

struct node_status {
    route::health health;
    node_offer offer;
    std::vector<deployment::told_claim> claims;  // models that it coordinates; at most max_told_claims
    std::vector<told_model> models;
    std::vector<route::model_demand> demand;  // of this node's own clients
};

std::string to_json(const node_status& from);

/// Missing fields have their defaults, lists are cut at max_told_models. Error: wire::errc::malformed.
result<node_status> parse_status(std::string_view text);

/// Is it worth telling at once? Small moves of the score and counters of demand wait for the next regular time.
bool differs(const node_status& told, const node_status& now);

}  // namespace starling::peers
