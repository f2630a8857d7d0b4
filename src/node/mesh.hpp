// The mesh that a node is in: which one it is and how it got in, kept over restarts; the members, and what they serve
// together with this node.
//
// A node that was invited is in the mesh of its last invite; one that never was begins a mesh of its own, and can
// invite others. Owner: node. Thread: the network executor. Called by: api (through mesh_view), node.
#pragma once

#include "api/about.hpp"
#include "api/mesh_view.hpp"
#include "dispatch/dispatch.hpp"
#include "keys/keys.hpp"
#include "node/errc.hpp"
#include "node/mesh_directory.hpp"
#include "node/mesh_file.hpp"
#include "node/mesh_lan.hpp"
#include "node/split_models.hpp"
#include "peers/service.hpp"
#include "route/demand_table.hpp"
#include "route/model_table.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace spdlog {
class logger;
}

namespace starling::node {

/// Seconds. A year: a machine that nobody has looked at for so long is asked to be invited again.
inline constexpr admission::unix_time_s certificate_s = admission::unix_time_s{365} * 24 * 3600;

/// All of it outlives the mesh.
struct mesh_parts {
    boost::asio::any_io_executor network;
    const settings::config* settings = nullptr;
    keys::key_pair self;
    admission::role role = admission::role::worker;  // what this node wants to be
    route::model_table* table = nullptr;
    models::model_store* store = nullptr;
    heir_observer on_heir;  // of a split model that was not named here
    std::function<route::machine_load()> machine_load;
    std::function<void(std::string_view model)> load_standby;
    std::function<bool()> shares;                      // whether this node works for the others now
    std::function<void(const error& why)> on_refused;  // the mesh does not take this node: it can only end
    asking_observer asking;
    std::shared_ptr<spdlog::logger> log;
    std::uint64_t seed = 0;  // unpredictable
};

class mesh final : public api::mesh_view {
  public:
    /// Opens the socket and reads what is remembered. Errors: errc::data_dir, cannot_listen;
    /// settings::errc::wrong_usage for an invite that is none.
    static result<std::unique_ptr<mesh>> create(mesh_parts with);
    ~mesh() override;

    void start();

    /// Says goodbye and waits for all that runs here.
    boost::asio::awaitable<void> stop();

    /// Until somebody of the mesh has told what it serves, or the time is over.
    boost::asio::awaitable<void> until_met(std::chrono::milliseconds time);

    /// A model of this node is ready or has failed, or the node shares from now on, or no longer.
    void models_changed();

    /// A person has unloaded a model of this node: who asked for it before that does not bring it back.
    void model_unloaded(const std::string& id);

    /// Of the socket for other nodes.
    const transport::address& listens() const { return listens_; }

    /// False for a socket on which this node only calls others.
    bool takes_newcomers() const { return takes_newcomers_; }

    /// This node's certificate lets it write invites.
    bool may_invite() const { return service_ != nullptr && memory_->certificate.may_admit; }

    /// Whom this node talks to, or would, on other machines.
    std::vector<api::contacted_place> contacted() const;

    /// A model of this node that is to be cut over several.
    void serve_split(split_request what, split_observer observer) {
        splits_.push_back(what.id);
        split_models_.serve_model(std::move(what), std::move(observer));
    }

    /// Who asks to be let in, and whom this node asks itself.
    api::asking_view& asking() { return lan_; }

    // api::mesh_view
    std::string id() const override;
    std::string removed() const override { return removed_; }
    result<route::choice> choose(std::string_view model, route::steady_time now) override;
    std::vector<api::mesh_model> models() const override;
    std::vector<api::peer_facts> peers() const override;
    std::vector<route::model_demand> demand() const override;
    api::routing_facts routing() const override;
    std::vector<api::deployment_facts> deployments() const override { return split_models_.facts(); }
    api::stage_traffic traffic() const override { return split_models_.traffic(); }
    boost::asio::awaitable<result<api::model_plan>> plan(api::plan_question asked) override;
    result<api::written_invite> invite(std::string_view role, std::int64_t expires_s, bool may_invite) override;
    result<void> revoke(std::string_view node_id) override;

  private:
    mesh(mesh_parts with, std::unique_ptr<transport::endpoint> endpoint, bool takes_newcomers);

    // mesh.cpp: getting in
    result<void> prepare(std::optional<mesh_memory> remembered, std::optional<admission::invite> invite);
    boost::asio::awaitable<void> run_join(admission::invite with);
    boost::asio::awaitable<result<admission::certificate>> ask_inviter(admission::invite with);
    void enter(admission::certificate given, peers::contact by);
    void begin();
    peers::hooks make_hooks();
    split_parts parts_of_splits();
    std::uint64_t whole_models_bytes() const;
    std::uint64_t whole_model_bytes(const std::string& content) const;
    admission::certificate certify(const node_id& bearer, admission::grant as) const;
    result<admission::certificate> admit(const admission::invite::secret_bytes& secret, const node_id& bearer);
    boost::asio::awaitable<void> run_keep_loop();
    result<void> save();
    void on_event(const peers::event& what);

    // mesh_asking.cpp: the local network
    boost::asio::awaitable<void> run_ask();
    peers::waiting_room* open_room();
    void find_members();

    // mesh_models.cpp: what is served
    peers::node_status status();
    void consider_standby();
    std::optional<double> last_wanted_s(const std::string& model) const;
    result<std::shared_ptr<engine::generator>> find_here(std::string_view model);
    std::shared_ptr<engine::generator> front(const std::string& model, engine::model_info info);
    route::health health() const;
    bool alone() const;
    bool unsure() const;

    mesh_parts with_;
    std::unique_ptr<transport::endpoint> endpoint_;  // until the service has it
    transport::address listens_;
    bool takes_newcomers_;
    std::vector<std::string> addresses_;
    std::optional<keys::key_pair> root_;  // of a mesh that was begun here
    std::optional<mesh_memory> memory_;   // none until this node is in
    std::optional<admission::invite> joining_;
    bool asks_ = false;  // is in no mesh, and asks for one on the local network
    mesh_lan lan_;
    mesh_directory directory_;
    std::vector<std::string> splits_;  // models that are cut, by their names
    split_models split_models_;
    dispatch::dispatcher dispatcher_;
    std::map<std::string, std::shared_ptr<engine::generator>, std::less<>> fronts_;
    std::map<std::string, engine::model_info, std::less<>> met_;  // models that members have served
    route::demand_table demand_;
    std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> wanted_since_;
    std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> unloaded_at_;  // by a person
    std::unique_ptr<peers::service> service_;
    aio::task_scope tasks_;
    std::string removed_;  // why the others do not take this node any more
    bool stopping_ = false;
};

}  // namespace starling::node
