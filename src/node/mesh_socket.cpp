#include "node/mesh_socket.hpp"

#include "peers/service.hpp"
#include "quic/quic.hpp"

#include <spdlog/logger.h>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

result<mesh_socket> open_mesh_socket(const asio::any_io_executor& network, const settings::config& settings,
                                     const keys::key_pair& self, std::span<const std::string> others, reach whom,
                                     spdlog::logger& log) {
    const std::string text = settings.peer_bind.empty() ? settings.bind : settings.peer_bind;
    boost::system::error_code wrong;
    asio::ip::address host = asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, wrong);
    if (wrong) {
        return fail(errc::cannot_listen, "'" + text + "' is not an IP address; give one with --peer-bind.");
    }
    const auto far = std::find_if(others.begin(), others.end(), [](const std::string& one) {
        const auto where = peers::parse_address(one);
        return where && !where->address().is_loopback();
    });
    quic::options how;
    if (settings.peer_bind.empty() && host.is_loopback() && (far != others.end() || whom == reach::anyone)) {
        how.takes_newcomers = false;
        const bool v6 = far != others.end() && peers::parse_address(*far)->address().is_v6();
        host = v6 ? asio::ip::address(asio::ip::address_v6::any()) : asio::ip::address(asio::ip::address_v4::any());
    }
    const std::uint16_t port = how.takes_newcomers ? settings.peer_port : 0;
    auto made = quic::listen(network, {host, port}, self, how);
    if (!made && port == settings::default_peer_port) {
        made = quic::listen(network, {host, 0}, self, how);
        if (made) {
            log.debug("UDP port {} is taken; other nodes find this one at port {}", port, (*made)->local().port());
        }
    }
    if (!made) {
        return fail(errc::cannot_listen, made.error().message);
    }
    return mesh_socket{.endpoint = std::move(*made), .takes_newcomers = how.takes_newcomers};
}

}  // namespace starling::node
