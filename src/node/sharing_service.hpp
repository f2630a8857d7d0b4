// Answers /api/sharing, and carries out what is chosen there: at once where that is possible, else by a restart of the
// node.
//
// Owner: node. Thread: the network executor. Called by: api, and mesh (whether this node works for others).
#pragma once

#include "api/sharing_view.hpp"
#include "node/mesh.hpp"
#include "node/sharing.hpp"

#include <functional>
#include <string>
#include <vector>

namespace starling::node {

/// All of it outlives the service.
struct sharing_parts {
    settings::config* settings = nullptr;  // of the node: what is chosen is laid over already; memory_bytes changes
    sharing_choices chosen;
    std::vector<std::string> fixed;
    admission::role role = admission::role::worker;
    bool may_restart = false;  // whoever runs the node creates it again
    std::uint64_t memory_total_bytes = 0;
    std::function<void()> on_changed;  // what is lent, or whether anything is
    std::function<void()> restart;     // a moment from now: the answer goes out before
};

class sharing_service final : public api::sharing_view {
  public:
    explicit sharing_service(sharing_parts with);

    /// From now on it is part of what is told; nothing is asked here after it has gone.
    void attach(const mesh* to) { mesh_ = to; }

    /// Whether this node works for the others now.
    bool is_on() const;

    // api::sharing_view
    api::sharing_facts facts() const override;
    result<api::sharing_outcome> change(const api::sharing_wish& wish) override;

  private:
    result<void> check(const api::sharing_wish& wish) const;
    bool is_fixed(std::string_view what) const;
    bool is_reachable() const;
    std::uint64_t lent_bytes() const;

    sharing_parts with_;
    const mesh* mesh_ = nullptr;
    bool restarting_ = false;
};

/// Of this machine, and of its GPUs unless `gpu_layers` is 0; 0 when the system does not say.
std::uint64_t total_memory(const settings::config& settings);

}  // namespace starling::node
