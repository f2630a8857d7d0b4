#include "discovery/interfaces.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

namespace starling::discovery {

namespace {

namespace ip = boost::asio::ip;

bool announces(unsigned flags) {
    const bool carries = (flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0;
    return (flags & IFF_UP) != 0 && (flags & IFF_POINTOPOINT) == 0 && carries;
}

void add(lan_interface& to, const sockaddr& from) {
    if (from.sa_family == AF_INET && !to.v4) {
        sockaddr_in in{};
        std::memcpy(&in, &from, sizeof in);
        to.v4 = ip::address_v4(ntohl(in.sin_addr.s_addr));
    } else if (from.sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &from, sizeof in);
        ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
        const ip::address_v6 address(bytes, to.index);
        if (address.is_link_local() && !to.link_local_v6) {
            to.link_local_v6 = address;
        }
    }
}

}  // namespace

std::vector<lan_interface> list_interfaces() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
    std::map<unsigned, lan_interface> by_index;
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        const unsigned index = ::if_nametoindex(one->ifa_name);
        if (one->ifa_addr != nullptr && index != 0 && announces(one->ifa_flags)) {
            by_index[index].index = index;
            add(by_index[index], *one->ifa_addr);
        }
    }
    std::vector<lan_interface> out;
    for (const auto& [index, found] : by_index) {
        if (found.v4 || found.link_local_v6) {
            out.push_back(found);
        }
    }
    return out;
}

std::vector<lan_interface> reachable_on(std::vector<lan_interface> all, const transport::address& where) {
    const auto& listens = where.address();
    for (lan_interface& one : all) {
        const bool any = listens.is_unspecified();
        if (one.v4 && !(any || listens == *one.v4)) {
            one.v4.reset();
        }
        if (one.link_local_v6 && !(listens.is_v6() && (any || listens == *one.link_local_v6))) {
            one.link_local_v6.reset();
        }
    }
    std::erase_if(all, [](const lan_interface& one) { return !one.v4 && !one.link_local_v6; });
    all.resize(std::min(all.size(), max_interfaces));
    return all;
}

}  // namespace starling::discovery
