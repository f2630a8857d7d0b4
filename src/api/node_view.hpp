// What the node says of itself: /health, /v1/models, /metrics, /api/status, /api/peers, /api/deployments. Private to
// api. Everything is read from the model table at the time of the request.
#pragma once

#include "api/api.hpp"
#include "api/call.hpp"
#include "api/mesh_view.hpp"
#include "api/metrics.hpp"
#include "openai/answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>
#include <vector>

namespace starling::api {

class node_view {
  public:
    node_view(const node_facts& facts, route::model_table& models, metrics& metrics);

    void health(call& call) const;
    void models(call& call) const;
    void model(call& call, std::string_view id) const;
    void metrics_text(call& call, std::size_t connections) const;
    void status(call& call) const;
    void peers(call& call) const;
    void deployments(call& call) const;

    /// The same as values, for /api/events.
    boost::json::object status_json() const;
    boost::json::array peers_json() const;
    boost::json::array deployments_json() const;
    boost::json::array models_json() const;

    /// This node, then the others.
    std::vector<peer_facts> all_peers() const;

  private:
    /// What /v1/models lists: the models of this node, then those that other nodes of the mesh serve.
    std::vector<openai::listed_model> served() const;

    const node_facts& facts_;
    route::model_table& models_;
    metrics& metrics_;
    std::chrono::steady_clock::time_point started_;
    std::int64_t started_unix_s_;
};

}  // namespace starling::api
