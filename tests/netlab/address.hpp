// Who is who: the addresses of the hosts, and what makes an empty namespace host i. Pure.
//
// Every host knows the others' hardware addresses from the start. So there is no ARP and no neighbour discovery to be
// lost, and a host that is cut off is silent, as on a wide-area network, and not "unreachable" after three seconds.
#pragma once

#include "netlab/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace starling::netlab {

constexpr std::string_view device_name = "wan0";

std::string ip4_address(host_index host);
std::string ip6_address(host_index host);
std::string hardware_address(host_index host);

struct recipient {
    bool everyone = false;           // broadcast and multicast
    std::optional<host_index> host;  // neither: an address that no host has, or no Ethernet frame at all
};

recipient recipient_of(const frame& frame, host_index hosts);

/// What `ip -batch` has to do in the namespace of `host`, which has its device already.
std::string setup_lines(host_index host, host_index hosts);

/// A prefix does not end in a digit, so that the number after it is clear: "lab1" and "1", or "lab" and "11"?
bool valid_prefix(std::string_view prefix);
std::string namespace_name(std::string_view prefix, host_index host);

/// True for namespace_name(prefix, any host).
bool named_by(std::string_view prefix, std::string_view name);

}  // namespace starling::netlab
