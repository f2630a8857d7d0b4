// Drives the failure detector: its clock, its messages as bytes, and the check that records are of whom they say. The
// thin shell around membership; it knows nothing of connections.
//
// Owner: service. Thread: the network executor.
#pragma once

#include "admission/admission.hpp"
#include "aio/wake_up.hpp"
#include "membership/membership.hpp"
#include "peers/member_record.hpp"
#include "transport/transport.hpp"

#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace starling::peers {

/// Fits a datagram or wants a stream.
enum class message_size { datagram, large };

struct gossip_hooks {
    std::function<void(const node_id& to, wire::bytes message, message_size size)> send;
    std::function<void(const membership::member_changed& what)> changed;
};

struct known_member {
    node_id id;
    membership::member_state state = membership::member_state::alive;
    const peers::description* said = nullptr;  // of its latest record; until the next change
};

class gossip {
  public:
    /// `revoked` outlives it. Error: membership::errc::payload_too_large.
    static result<std::unique_ptr<gossip>> create(boost::asio::any_io_executor network, keys::key_pair self,
                                                  const description& said, const admission::revocation_list& revoked,
                                                  std::uint64_t seed, gossip_hooks hooks);

    /// Timers; ends when it is cancelled.
    transport::awaitable<void> run();

    /// What `from`, an admitted member, has sent; anything that is not a message is dropped.
    void receive(const node_id& from, std::span<const std::uint8_t> message);

    void join(const node_id& id);
    void look_at(const node_id& id);
    void leave();

    /// After leave(): nobody is left to be told.
    bool drained() const { return detector_.drained(); }

    std::optional<known_member> find(const node_id& id) const;

    /// All but this node, with those that are dead or have left.
    std::vector<known_member> members() const;

  private:
    gossip(boost::asio::any_io_executor network, membership::detector detector, node_id mesh,
           const admission::revocation_list& revoked, gossip_hooks hooks);

    void carry_out(membership::actions what);
    bool verified(const membership::shared_record& heard);
    void drop_unverified(membership::message& heard);

    membership::detector detector_;
    node_id mesh_;
    const admission::revocation_list& revoked_;
    gossip_hooks hooks_;
    std::unordered_map<node_id, description> said_;
    aio::wake_up sooner_;
};

}  // namespace starling::peers
