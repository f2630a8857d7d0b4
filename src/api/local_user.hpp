// Who on this machine is at the other end of a connection. Private to api.
//
// A browser on the loopback says nothing of its user; the kernel knows it. Linux only: elsewhere nobody is known, and
// pages need an API key.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling::api {

/// The user id in a line of /proc/net/tcp or tcp6 whose socket is bound to `client` and connected to `server`.
/// Format: Linux, Documentation/networking/proc_net_tcp.rst. Pure.
std::optional<std::uint32_t> find_owner(std::string_view table, const boost::asio::ip::tcp::endpoint& client,
                                        const boost::asio::ip::tcp::endpoint& server);

/// That `client` is a program of the user whom this process belongs to. The administrator's are not: a proxy that runs
/// as root speaks for whoever is behind it, and root can read the control token anyway.
bool is_own_user(const boost::asio::ip::tcp::endpoint& client, const boost::asio::ip::tcp::endpoint& server);

}  // namespace starling::api
