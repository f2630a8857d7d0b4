// The mesh's part of --lan: who is let in, whom it finds, and how this node gets in by asking.
#include "node/mesh.hpp"

#include <spdlog/logger.h>

#include <utility>

namespace starling::node {

boost::asio::awaitable<void> mesh::run_ask() {
    auto given = co_await lan_.run_ask(endpoint_.get());
    if (!given) {
        with_.on_refused(given.error());
        co_return;
    }
    if (with_.role == admission::role::worker && given->certificate.role == admission::role::client) {
        with_.on_refused(fail(errc::mesh,
                              "This node was let in as a client, which serves no models; run `starling client --lan "
                              "--ask`, or ask again for the role of a worker."));
        co_return;
    }
    asks_ = false;
    enter(std::move(given->certificate), std::move(given->by));
}

/// Where newcomers wait; null where this node takes none.
peers::waiting_room* mesh::open_room() {
    if (!with_.settings->lan || !memory_->certificate.may_admit || !takes_newcomers_) {
        return nullptr;
    }
    return lan_.open_room([this](const node_id& newcomer, admission::role as) {
        return result<admission::certificate>(certify(newcomer, admission::grant{.role = as}));
    });
}

void mesh::find_members() {
    if (!with_.settings->lan) {
        return;
    }
    tasks_.spawn(
        lan_.run_find_loop(memory_->certificate.mesh, listens_, takes_newcomers_, [this](peers::contact found) {
            if (!stopping_) {
                service_->add_contact(std::move(found));
            }
        }));
}

}  // namespace starling::node
