// Who serves which model, in this node and in the nodes that it is connected to: the view that requests are dispatched
// by.
//
// Owner: mesh. Thread: the network executor. Its generators stay the same objects for as long as a connection does.
#pragma once

#include "dispatch/dispatch.hpp"
#include "peers/service.hpp"
#include "remote/remote.hpp"
#include "route/model_table.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace starling::node {

class mesh_directory final : public dispatch::directory {
  public:
    /// `table` outlives it. `on_wanted`: a request waits for this model, and nobody serves it.
    mesh_directory(boost::asio::any_io_executor network, const node_id& self, route::model_table& table,
                   std::function<route::health()> health, std::function<void(std::string_view model)> on_wanted);

    /// From now on the members count too; null: no longer.
    void attach(const peers::service* members) { members_ = members; }

    /// Somebody came, went, or told something.
    void refresh();

    std::vector<dispatch::worker> workers(std::string_view model) override;
    aio::wake_up& changed() override { return changed_; }
    void wanted(std::string_view model) override { on_wanted_(model); }

    /// The members that may serve: connected, in, not revoked, and with the role for it.
    std::vector<peers::peer_view> serving() const;

  private:
    struct remote_worker {
        std::shared_ptr<transport::connection> connection;
        std::shared_ptr<remote::remote_generator> generator;
    };

    dispatch::worker remote_view(const peers::peer_view& peer, const peers::told_model& model);

    node_id self_;
    route::model_table& table_;
    std::function<route::health()> health_;
    std::function<void(std::string_view)> on_wanted_;
    const peers::service* members_ = nullptr;
    std::map<std::pair<node_id, std::string>, remote_worker> remote_;
    aio::wake_up changed_;
};

}  // namespace starling::node
