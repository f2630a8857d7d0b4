// The UDP socket of the mesh: where it is bound, and whether others may come to it.
#pragma once

#include "base/result.hpp"
#include "keys/keys.hpp"
#include "node/errc.hpp"
#include "settings/config.hpp"
#include "transport/transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <span>
#include <string>

namespace spdlog {
class logger;
}

namespace starling::node {

struct mesh_socket {
    std::unique_ptr<transport::endpoint> endpoint;
    bool takes_newcomers = true;
};

/// Whom a node has to reach from here.
enum class reach {
    others,  // those whose addresses are known
    anyone,  // members that have yet to be found on the local network
};

/// On --peer-bind, else on --bind. A node that is bound to the loopback and knows members on other machines (`others`,
/// as "host:port", from an invite that it was given), or has yet to find some, could not reach them: it gets a socket
/// that reaches everyone and that answers nobody who comes by himself. Where the usual port is taken, a free one is
/// picked. Error: errc::cannot_listen.
result<mesh_socket> open_mesh_socket(const boost::asio::any_io_executor& network, const settings::config& settings,
                                     const keys::key_pair& self, std::span<const std::string> others, reach whom,
                                     spdlog::logger& log);

}  // namespace starling::node
