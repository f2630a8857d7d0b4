// Where other nodes may find a socket of this machine. POSIX.
#pragma once

#include <boost/asio/ip/udp.hpp>

#include <string>
#include <vector>

namespace starling::node {

/// As "host:port". For a socket on one address that is all; for one on all addresses, those of the machine's interfaces
/// that are up, without loopback and link-local ones.
std::vector<std::string> own_addresses(const boost::asio::ip::udp::endpoint& listening);

/// "192.0.2.7:9338", "[2001:db8::1]:9338".
std::string address_text(const boost::asio::ip::address& host, std::uint16_t port);

}  // namespace starling::node
