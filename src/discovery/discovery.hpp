// Finding nodes on the local network: a signed beacon by multicast (beacon.hpp), off unless it is asked for. A member
// finds the members of its mesh, and sees who looks for one; a newcomer finds members whom it can ask to be let in.
//
// The library tells whom it has heard and where; connecting, and whether anybody may join, is decided elsewhere
// (peers). A sighting is a hint: its key has signed the beacon within the clock skew, and the address is where it came
// from.
//
// Owner: node. Thread: one executor thread. The decisions are in lan_table, the system's part in lan_socket.
#pragma once

#include "base/result.hpp"
#include "discovery/errc.hpp"
#include "discovery/lan_table.hpp"
#include "keys/keys.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace starling::discovery {

using transport::awaitable;

/// Of beacons, not of QUIC: beside the port of the API (9337). The same everywhere, or nodes do not hear each other.
inline constexpr std::uint16_t lan_port = 9339;

/// How long an interface that has come may go unused.
inline constexpr duration interface_interval = std::chrono::seconds(30);

enum class presence {
    announced,
    silent,  // hears and says nothing: a member that nobody can connect to
};

struct lan_options {
    std::string name;             // shown to everyone on the network; cut to max_name_bytes
    std::optional<node_id> mesh;  // nothing: seeks one
    transport::address listens;   // of the QUIC endpoint; beacons go out only where it can be reached
    discovery::presence presence = presence::announced;
    std::uint16_t port = lan_port;
};

class lan_discovery {
  public:
    /// Called on the executor's thread, once in report_interval for each node and address, or when a node has changed.
    using sink = std::function<void(const sighting&)>;

    /// Errors: no_interface, when nothing here can multicast; no_socket.
    static result<std::unique_ptr<lan_discovery>> create(const boost::asio::any_io_executor& executor,
                                                         const keys::key_pair& keys, lan_options options,
                                                         sink on_found);
    lan_discovery() = default;
    lan_discovery(const lan_discovery&) = delete;
    lan_discovery& operator=(const lan_discovery&) = delete;
    virtual ~lan_discovery() = default;

    /// Hears, and is heard unless it is silent, until it is cancelled. Once; the object outlives it.
    virtual awaitable<void> run() = 0;

    /// Belongs to this mesh from now on (nothing: seeks one), and says so at once.
    virtual void belong_to(std::optional<node_id> mesh) = 0;
};

}  // namespace starling::discovery
