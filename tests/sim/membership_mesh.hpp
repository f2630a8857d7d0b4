// A mesh of membership detectors on a virtual network, with what an observer who sees everything wants to know of it.
#pragma once

#include "membership/membership.hpp"
#include "virtual_network.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace starling::sim {

struct mesh_options {
    std::uint64_t seed = 1;
    weather air;
    double clock_skew = 0.0;          // each clock runs faster or slower by up to this share
    std::size_t payload_bytes = 160;  // a name, a role, two addresses
};

class membership_mesh {
  public:
    explicit membership_mesh(const mesh_options& options);

    /// A new node that joins through a random one that is up.
    endpoint add();
    /// `count` of them, spread over `within`; then the time runs on until all know each other, or `patience` is over.
    bool form(std::size_t count, duration within, duration patience);

    void crash(endpoint who);
    /// After a crash: the same key, a later incarnation, or none it remembers.
    enum class memory { kept, lost };
    void restart(endpoint who, memory m);
    void leave(endpoint who);
    /// A machine that is suspended: it neither hears nor does anything, and its clock goes on.
    void suspend(endpoint who) { nodes_[who].suspended = true; }
    void resume(endpoint who);
    /// A message that its sender's detector did not make.
    void forge(endpoint from, endpoint to, membership::message m) {
        net_.send(from, to, std::move(m), carriage::datagram);
    }

    void run_for(duration time) { net_.run_until(net_.now() + time); }
    /// Runs until `done`, looked at every 100 ms; the time it took, or nothing when `patience` is over first.
    std::optional<duration> run_until(const std::function<bool()>& done, duration patience);

    virtual_network<membership::message>& net() { return net_; }

    // --- what an observer sees ---
    std::size_t size() const { return nodes_.size(); }
    bool is_up(endpoint who) const { return nodes_[who].detector != nullptr; }
    std::size_t up_count() const;
    const membership::detector& at(endpoint who) const { return *nodes_[who].detector; }
    node_id id_of(endpoint who) const { return nodes_[who].id; }

    /// Nodes that are up and for which `who` is dead (or has left) or unknown.
    std::size_t count_gone(endpoint who) const;
    /// Every node that is up holds exactly those for live that are up.
    bool agrees() const;
    /// Nobody who is up is dead to anyone who is up.
    bool nobody_up_is_dead() const;

    std::uint64_t false_deaths = 0;  // somebody who was up and could be reached was declared dead
    duration longest_false_death{};  // until it was alive again to the one who thought so
    std::uint64_t suspicions = 0;    // somebody who was up was suspected
    std::uint64_t sent_bytes = 0;    // with headers, by all
    std::uint64_t sent_messages = 0;
    std::size_t largest_datagram = 0;
    void forget_traffic();
    std::uint64_t most_sent_by_one() const;

  private:
    struct node {
        node_id id;
        double clock_rate = 1.0;
        duration clock_offset{};
        std::uint64_t lives = 0;
        bool suspended = false;
        std::uint64_t sent_bytes = 0;
        std::unique_ptr<membership::detector> detector;  // null: down
    };

    time_point local(endpoint who) const;
    time_point global(endpoint who, time_point at) const;
    endpoint endpoint_of(const node_id& id) const;
    void start(endpoint who, membership::incarnation_number incarnation);
    void carry_out(endpoint who, membership::actions todo);
    void transmit(endpoint who, membership::send s);
    void observe(endpoint who, const membership::member_changed& change);
    std::optional<endpoint> random_up(endpoint except);

    mesh_options options_;
    virtual_network<membership::message> net_;
    std::vector<node> nodes_;
    std::map<std::pair<endpoint, endpoint>, time_point> dead_since_;  // by observer and observed
};

}  // namespace starling::sim
