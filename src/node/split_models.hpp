// The split models of this node: those that were named here, those of which it computes a part, and what it lends.
//
// Owner: mesh. Thread: the network executor. Called by: node (a model that does not fit here), mesh (what members tell
// and ask), api (through mesh_view).
#pragma once

#include "api/mesh_view.hpp"
#include "models/models.hpp"
#include "node/split_model.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace starling::node {

/// A model that was named here and is to be cut.
struct split_request {
    std::string id;              // as clients name it
    std::filesystem::path path;  // all of it
    std::string draft;           // path of a draft model; empty: none
};

/// Who hears of a model that was not named here, should this node come to coordinate it.
using heir_observer = std::function<split_observer(const std::string& id, const std::filesystem::path& path)>;

class split_models {
  public:
    /// `with.files` is filled in here; `store` outlives it.
    split_models(split_parts with, models::model_store& store, heir_observer on_heir);
    ~split_models();
    split_models(const split_models&) = delete;
    split_models& operator=(const split_models&) = delete;

    void start();
    boost::asio::awaitable<void> stop();

    /// Serves it together with others, whenever that is possible.
    void serve_model(split_request what, split_observer observer);

    /// A stream of a member that began with a message of pipeline.
    boost::asio::awaitable<void> serve_stage(transport::message_stream on, std::string first, node_id from);

    /// Somebody came, went, or told something.
    void members_changed();

    /// Adds what this node lends and coordinates.
    void tell(peers::node_status& into) const;

    std::vector<api::deployment_facts> facts() const;

    /// Bytes of hidden states and tokens that went through this node.
    api::stage_traffic traffic() const;

    /// How a model would be placed now; nothing is loaded. `how` says how to split it, its context and its slots.
    /// Errors: those of models, gguf, llama and plan.
    boost::asio::awaitable<result<plan::placement>> plan(models::reference which, settings::config how);

  private:
    boost::asio::awaitable<void> run_clock();
    boost::asio::awaitable<void> run_look();
    boost::asio::awaitable<void> run_serve_model(split_request what, split_observer observer);
    peers::node_offer offer() const;
    taken_bytes taken_by(const std::string& content) const;
    boost::asio::awaitable<result<named_file>> find_named(models::reference which);
    void consider_heirs();
    std::optional<deployment::announcement> claim_told(const std::string& content) const;
    split_model& add(split_setup setup, split_observer observer);
    deployment::want_record want(const split_request& what, const gguf::file_header& header) const;

    split_parts with_;
    stage_files files_;
    stage_service stages_;
    heir_observer on_heir_;
    std::map<std::string, std::unique_ptr<split_model>> models_;  // by content
    std::map<std::string, std::set<node_id>> claimants_;          // of which something was heard
    double read_bytes_per_s_ = 0.0;
    boost::asio::thread_pool measuring_{1};
    aio::task_scope tasks_;
    bool stopping_ = false;
};

}  // namespace starling::node
