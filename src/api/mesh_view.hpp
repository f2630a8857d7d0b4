// What the API asks of the mesh that this node is in. Implemented by node; a node without a mesh gives none, and then
// everything is answered by its own models. Network executor.
#pragma once

#include "base/result.hpp"
#include "engine/types.hpp"
#include "route/demand_table.hpp"
#include "route/health.hpp"
#include "route/model_table.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::api {

struct peer_facts {
    std::string node_id;
    std::string name;
    std::string role;
    std::string state;             // alive, suspect, dead, left
    std::optional<double> rtt_ms;  // none: no connection
    std::string path = "direct";   // direct, relay
    std::optional<route::health> health;
    std::vector<std::string> models;  // ready there
    std::string version;
};

struct mesh_model {
    engine::model_info info;
    route::model_state state = route::model_state::ready;  // the best that there is among the nodes
    std::size_t nodes = 0;                                 // that have it in that state
};

struct routing_decision {
    std::string request_id;
    std::string model;
    std::string node_id;
    std::string reason;
    std::string cause;             // why the node before was left; empty for the first
    std::int32_t resumed_at = -1;  // tokens that were out by then; -1: none
};

struct routing_facts {
    std::uint64_t here = 0;
    std::uint64_t to_peers = 0;
    std::uint64_t moved_on = 0;  // a node refused, and the next one was asked
    std::uint64_t resumed = 0;   // streams that went on elsewhere
    std::uint64_t lost = 0;      // streams that nobody could go on with
    std::vector<routing_decision> recent;
};

struct stage_facts {
    std::string node_id;
    std::string name;  // what people call the node; empty: not known here
    std::int32_t first_layer = 0;
    std::int32_t last_layer = 0;
    std::uint64_t memory_bytes = 0;  // 0: not known here
    double ms_per_token = 0.0;       // lately; 0: not known here
    std::string state;               // loading, ready, lost
};

/// A model that is cut over several nodes.
struct deployment_facts {
    std::string model;
    std::string coordinator;
    std::uint32_t epoch = 0;
    std::string state;  // forming, serving, repairing, starved, leaving
    std::vector<stage_facts> stages;
    std::string reason;
};

/// Bytes between the stages of split models, through this node.
struct stage_traffic {
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
};

/// Where a model would go. What is not given is as the node was told at its start.
struct plan_question {
    std::string model;                 // a reference, as on the command line; a relative path is the node's own
    std::optional<std::string> split;  // auto, never, or a number of machines
    std::optional<std::int32_t> context;
    std::optional<std::int32_t> slots;
};

struct planned_stage {
    std::string node_id;  // empty: this machine, where no node runs
    std::string name;
    std::int32_t first_layer = 0;
    std::int32_t last_layer = 0;
    std::uint64_t memory_bytes = 0;
    double ms_per_token = 0.0;
};

struct model_plan {
    std::string model;
    std::vector<planned_stage> stages;  // the last one's node coordinates
    double tokens_per_s = 0.0;          // one stream alone
    double total_tokens_per_s = 0.0;    // with all slots busy
    std::string reason;
    std::string table;  // all of it, for people
};

struct written_invite {
    std::string text;
    std::string role;
    std::int64_t expires_unix_s = 0;
    std::vector<std::string> addresses;
    bool this_machine_only = false;  // nobody else can reach this node
};

class mesh_view {
  public:
    mesh_view() = default;
    mesh_view(const mesh_view&) = delete;
    mesh_view& operator=(const mesh_view&) = delete;
    virtual ~mesh_view() = default;

    /// 64 hex digits; empty while the node is still asking to join.
    virtual std::string id() const = 0;

    /// Why the others do not take this node any more, in a sentence; empty: they do.
    virtual std::string removed() const = 0;

    /// As route::model_table::choose, among all nodes.
    virtual result<route::choice> choose(std::string_view model, route::steady_time now) = 0;

    /// Of all nodes, this one too.
    virtual std::vector<mesh_model> models() const = 0;

    /// Without this node.
    virtual std::vector<peer_facts> peers() const = 0;

    /// Requests for each model, of all nodes that are connected.
    virtual std::vector<route::model_demand> demand() const = 0;

    virtual routing_facts routing() const = 0;

    /// Of all nodes that are connected, this one too.
    virtual std::vector<deployment_facts> deployments() const = 0;
    virtual stage_traffic traffic() const = 0;

    /// Nothing is loaded. Errors: engine::errc::unknown_model (no such file), invalid_request (a wish that makes no
    /// sense), unavailable (it cannot be placed now; the sentence has the numbers).
    virtual boost::asio::awaitable<result<model_plan>> plan(plan_question asked) = 0;

    /// Errors: engine::errc::invalid_request (a role that is none, nobody can reach this node, it may not), unavailable
    /// (the books cannot be kept). `may_invite`: the bearer may invite others and put others out, as a delegate.
    virtual result<written_invite> invite(std::string_view role, std::int64_t expires_s, bool may_invite) = 0;
    virtual result<void> revoke(std::string_view node_id) = 0;
};

}  // namespace starling::api
