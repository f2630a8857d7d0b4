#include "discovery/lan_socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace starling::discovery {

namespace {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;
using udp = ip::udp;

// Scopes that no router passes on: the local one of RFC 2365, 6.1, chosen by us within it; and link-local, not assigned
// by IANA (RFC 4291, 2.7), which ends in "starln".
constexpr int hops = 1;  // this link, and no further

template <class T>
bool set(udp::socket& socket, int level, int name, const T& value) {
    return ::setsockopt(socket.native_handle(), level, name, &value, sizeof value) == 0;
}

boost::system::error_code prepare(udp::socket& socket, const transport::address& group) {
    boost::system::error_code failed;
    const bool v4 = group.address().is_v4();
    socket.open(group.protocol(), failed);
    if (!failed) {
        socket.set_option(udp::socket::reuse_address(true), failed);
    }
    if (!failed && !v4) {
        socket.set_option(ip::v6_only(true), failed);
    }
    if (!failed) {
        // Bound to the group, an IPv4 socket hears nothing that was sent to this machine alone, from wherever. An IPv6
        // socket would have to be bound to one link for that; receive() looks at the source instead.
        socket.bind(v4 ? group : transport::address(udp::v6(), group.port()), failed);
    }
    if (!failed) {
        socket.set_option(ip::multicast::hops(hops), failed);
    }
    if (!failed) {
        socket.set_option(ip::multicast::enable_loopback(true), failed);  // other nodes on this machine
    }
    if (!failed) {
        socket.non_blocking(true, failed);
    }
    // Otherwise the system passes on what comes for memberships of other programs, on interfaces that we do not use.
    constexpr int ours_alone = 0;
    if (v4) {
        set(socket, IPPROTO_IP, IP_MULTICAST_ALL, ours_alone);
    } else {
        set(socket, IPPROTO_IPV6, IPV6_MULTICAST_ALL, ours_alone);
    }
    return failed;
}

bool has_index(const std::vector<lan_interface>& among, unsigned index) {
    return std::any_of(among.begin(), among.end(), [index](const auto& one) { return one.index == index; });
}

}  // namespace

result<lan_socket> lan_socket::open(const asio::any_io_executor& executor, family of, std::uint16_t port) {
    const transport::address group(ip::make_address(of == family::v4 ? group_v4 : group_v6), port);
    udp::socket socket(executor);
    if (const auto failed = prepare(socket, group)) {
        return fail(errc::no_socket,
                    fmt::format("UDP port {} cannot be used to find others on the local network ({}); another program "
                                "has it for itself, or the system forbids it.",
                                port, failed.message()));
    }
    return lan_socket(std::move(socket), of, group);
}

bool lan_socket::use(const std::vector<lan_interface>& on) {
    for (const lan_interface& one : used_) {
        if (!has_index(on, one.index)) {
            leave(one.index);
        }
    }
    bool more = false;
    std::vector<lan_interface> now;
    for (const lan_interface& one : on) {
        if (usable(one) && join(one.index)) {
            more = more || std::find(used_.begin(), used_.end(), one) == used_.end();
            now.push_back(one);
        }
    }
    used_ = std::move(now);
    return more;
}

/// RFC 3678, for both families. Joined already is as good: the system drops a membership with its interface.
bool lan_socket::join(unsigned index) {
    group_req wanted{};
    wanted.gr_interface = index;
    std::memcpy(&wanted.gr_group, group_.data(), group_.size());
    return set(socket_, family_ == family::v4 ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, wanted) ||
           errno == EADDRINUSE;
}

void lan_socket::leave(unsigned index) {
    group_req wanted{};
    wanted.gr_interface = index;
    std::memcpy(&wanted.gr_group, group_.data(), group_.size());
    set(socket_, family_ == family::v4 ? IPPROTO_IP : IPPROTO_IPV6, MCAST_LEAVE_GROUP, wanted);
}

/// The address matters on loopback, where the system would send from an address of another interface.
bool lan_socket::send_on(const lan_interface& one) {
    if (family_ == family::v6) {
        return set(socket_, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(one.index));
    }
    ip_mreqn where{};
    where.imr_address.s_addr = htonl(one.v4->to_uint());
    where.imr_ifindex = static_cast<int>(one.index);
    return set(socket_, IPPROTO_IP, IP_MULTICAST_IF, where);
}

void lan_socket::send(std::span<const std::uint8_t> datagram) {
    for (const lan_interface& one : used_) {
        if (send_on(one)) {
            boost::system::error_code ignored;
            socket_.send_to(asio::buffer(datagram.data(), datagram.size()), group_, 0, ignored);
        }
    }
}

transport::awaitable<void> lan_socket::readable() {
    co_await socket_.async_wait(udp::socket::wait_read, asio::use_awaitable);
}

std::optional<lan_socket::heard> lan_socket::receive(std::span<std::uint8_t> into) {
    heard out;
    auto size = static_cast<socklen_t>(out.from.capacity());
    const auto got =
        ::recvfrom(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT | MSG_TRUNC, out.from.data(), &size);
    if (got < 0) {
        return std::nullopt;
    }
    out.from.resize(size);
    const auto& sender = out.from.address();
    const bool local = sender.is_v4() || sender.to_v6().is_link_local();
    out.size = local && static_cast<std::size_t>(got) <= into.size() ? static_cast<std::size_t>(got) : 0;
    return out;
}

}  // namespace starling::discovery
