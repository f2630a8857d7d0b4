// One UDP socket that hears a multicast group on several interfaces, and sends to it on each. Linux.
//
// Owner: lan_discovery. Thread: the network executor. It is bound to the port of the group together with those of other
// nodes on this machine (SO_REUSEADDR): each gets every datagram.
#pragma once

#include "base/result.hpp"
#include "discovery/errc.hpp"
#include "discovery/interfaces.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace starling::discovery {

enum class family { v4, v6 };

/// Where beacons go, on one link.
inline constexpr const char* group_v4 = "239.255.83.76";
inline constexpr const char* group_v6 = "ff12::7374:6172:6c6e";

class lan_socket {
  public:
    /// Error: no_socket.
    static result<lan_socket> open(const boost::asio::any_io_executor& executor, family of, std::uint16_t port);

    /// Hears and sends on these from now on, as far as the system lets it. True when there is one that was not used
    /// before.
    bool use(const std::vector<lan_interface>& on);

    std::size_t interfaces() const { return used_.size(); }

    /// On every interface. What cannot be sent is lost: there is a next beacon.
    void send(std::span<const std::uint8_t> datagram);

    /// Waits until receive() may have something. Ends with an exception when it is cancelled.
    transport::awaitable<void> readable();

    /// The size of the next datagram, which is in the beginning of `into`, and its sender; nothing when there is none.
    /// What is larger than `into` or was not sent on the local link has size 0.
    struct heard {
        std::size_t size = 0;
        transport::address from;
    };
    std::optional<heard> receive(std::span<std::uint8_t> into);

  private:
    lan_socket(boost::asio::ip::udp::socket socket, family of, transport::address group)
        : socket_(std::move(socket)), family_(of), group_(std::move(group)) {}

    bool usable(const lan_interface& one) const {
        return family_ == family::v4 ? one.v4.has_value() : one.link_local_v6.has_value();
    }
    bool join(unsigned index);
    void leave(unsigned index);
    bool send_on(const lan_interface& one);

    boost::asio::ip::udp::socket socket_;
    family family_;
    transport::address group_;
    std::vector<lan_interface> used_;
};

}  // namespace starling::discovery
