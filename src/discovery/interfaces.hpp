// The network interfaces of this machine, and on which of them a node announces itself.
#pragma once

#include "transport/transport.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <vector>

namespace starling::discovery {

/// Memberships of one socket that every system allows (Linux: igmp_max_memberships, 20).
inline constexpr std::size_t max_interfaces = 16;

struct lan_interface {
    unsigned index = 0;
    std::optional<boost::asio::ip::address_v4> v4;             // what datagrams are sent from
    std::optional<boost::asio::ip::address_v6> link_local_v6;  // with its scope

    bool operator==(const lan_interface&) const = default;
};

/// Those that are up and can multicast, and loopback, for several nodes on one machine. Not those from point to point:
/// what is at the other end of a tunnel is not the local network.
std::vector<lan_interface> list_interfaces();

/// Those where a node that listens at `where` can be reached at the address that its beacons come from: all of a
/// wildcard's families, else the one interface that has the address. Pure; at most max_interfaces.
std::vector<lan_interface> reachable_on(std::vector<lan_interface> all, const transport::address& where);

}  // namespace starling::discovery
