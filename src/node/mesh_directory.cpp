#include "node/mesh_directory.hpp"

#include <algorithm>

namespace starling::node {

mesh_directory::mesh_directory(boost::asio::any_io_executor network, const node_id& self, route::model_table& table,
                               std::function<route::health()> health,
                               std::function<void(std::string_view model)> on_wanted)
    : self_(self),
      table_(table),
      health_(std::move(health)),
      on_wanted_(std::move(on_wanted)),
      changed_(std::move(network)) {}

void mesh_directory::refresh() {
    // A generator keeps its connection; those whose connection has ended go with it.
    std::erase_if(remote_, [](const auto& entry) { return entry.second.connection->ended().has_value(); });
    changed_.notify();
}

std::vector<peers::peer_view> mesh_directory::serving() const {
    if (members_ == nullptr) {
        return {};
    }
    auto out = members_->peers();
    std::erase_if(out, [](const peers::peer_view& one) {
        return one.revoked || !one.connection || !one.status || one.said.certificate.role != admission::role::worker;
    });
    return out;
}

std::vector<dispatch::worker> mesh_directory::workers(std::string_view model) {
    std::vector<dispatch::worker> out;
    for (const route::model_status& here : table_.snapshot(std::chrono::steady_clock::now())) {
        if (here.id != model || here.state != route::model_state::ready) {
            continue;
        }
        const engine::engine_load load = here.generator->load();
        dispatch::worker one;
        one.view.id = self_;
        one.view.here = true;
        one.view.health = health_();
        one.view.slots = load.slots;
        one.view.busy = load.busy;
        one.view.queued = load.queued;
        one.content = here.content;
        one.generator = here.generator;
        out.push_back(std::move(one));
    }
    for (const peers::peer_view& peer : serving()) {
        for (const peers::told_model& there : peer.status->models) {
            if (there.info.id == model && there.state == peers::readiness::ready) {
                out.push_back(remote_view(peer, there));
            }
        }
    }
    return out;
}

dispatch::worker mesh_directory::remote_view(const peers::peer_view& peer, const peers::told_model& model) {
    remote_worker& known = remote_[{peer.id, model.info.id}];
    if (known.connection != peer.connection) {
        known.connection = peer.connection;
        known.generator = remote::make_generator(peer.connection, model.info);
    }
    known.generator->set_load(model.load);
    dispatch::worker one;
    one.view.id = peer.id;
    one.view.name = peer.said.name;
    one.view.health = peer.status->health;
    one.view.slots = model.load.slots;
    one.view.busy = model.load.busy;
    one.view.queued = model.load.queued;
    one.view.round_trip = peer.connection->facts().round_trip;
    one.content = model.content;
    one.generator = known.generator;
    return one;
}

}  // namespace starling::node
