#include "node/own_addresses.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

namespace starling::node {

namespace asio = boost::asio;

namespace {

asio::ip::address address_of(const sockaddr* from) {
    if (from->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, from, sizeof v4);
        return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes);
}

bool is_reachable(const asio::ip::address& one) {
    return !one.is_loopback() && !one.is_unspecified() && !(one.is_v6() && one.to_v6().is_link_local());
}

}  // namespace

std::string address_text(const asio::ip::address& host, std::uint16_t port) {
    const std::string text = host.is_v6() ? "[" + host.to_string() + "]" : host.to_string();
    return text + ":" + std::to_string(port);
}

std::vector<std::string> own_addresses(const asio::ip::udp::endpoint& listening) {
    if (!listening.address().is_unspecified()) {
        return {address_text(listening.address(), listening.port())};
    }
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
    std::vector<std::string> out;
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        const bool wanted = one->ifa_addr != nullptr && (one->ifa_flags & IFF_UP) != 0 &&
                            (one->ifa_addr->sa_family == AF_INET ||
                             (one->ifa_addr->sa_family == AF_INET6 && listening.address().is_v6()));
        if (!wanted) {
            continue;
        }
        const auto address = address_of(one->ifa_addr);
        if (is_reachable(address)) {
            out.push_back(address_text(address, listening.port()));
        }
    }
    return out;
}

}  // namespace starling::node
