#include "netlab/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace starling::netlab {

namespace {

constexpr std::size_t ethernet_header = 14;
constexpr std::size_t mac_size = 6;
constexpr int device_queue_frames = 10'000;  // what waits for the switch while it has no turn: 60 ms at 2 Gbit/s

// Locally administered (IEEE 802, bit 1 of the first byte); the last byte is the host's number.
constexpr std::array<std::uint8_t, mac_size> first_mac{0x02, 0x4e, 0x4c, 0x00, 0x00, 0x00};

constexpr std::string_view digits = "0123456789";

constexpr bool in(std::string_view set, char c) {
    return set.find(c) != std::string_view::npos;
}

}  // namespace

std::string ip4_address(host_index host) {
    return fmt::format("10.77.0.{}", host + 1);
}

std::string ip6_address(host_index host) {
    return fmt::format("fd77::{}", host + 1);
}

std::string hardware_address(host_index host) {
    auto mac = first_mac;
    mac.back() = static_cast<std::uint8_t>(host + 1);
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

recipient recipient_of(const frame& frame, host_index hosts) {
    if (frame.size < ethernet_header) {
        return {};
    }
    const auto first = std::to_integer<unsigned>(frame.bytes[0]);
    if ((first & 1U) != 0) {
        return {.everyone = true};
    }
    const auto number = std::to_integer<std::size_t>(frame.bytes[mac_size - 1]);
    if (std::memcmp(frame.bytes.data(), first_mac.data(), mac_size - 1) != 0 || number < 1 || number > hosts) {
        return {};
    }
    return {.host = number - 1};
}

std::string setup_lines(host_index host, host_index hosts) {
    std::string out = fmt::format(
        "link set lo up\n"
        "link set {0} address {1} txqueuelen {2}\n"
        "link set {0} up\n"
        "addr add {3}/24 brd + dev {0}\n"
        "addr add {4}/64 dev {0} nodad\n"
        "route add 224.0.0.0/4 dev {0}\n",
        device_name, hardware_address(host), device_queue_frames, ip4_address(host), ip6_address(host));
    for (host_index other = 0; other < hosts; ++other) {
        if (other == host) {
            continue;
        }
        for (const std::string& address : {ip4_address(other), ip6_address(other)}) {
            out += fmt::format("neigh add {} lladdr {} dev {} nud permanent\n", address, hardware_address(other),
                               device_name);
        }
    }
    return out;
}

bool valid_prefix(std::string_view prefix) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    constexpr std::size_t longest = 32;  // short enough for the path of a Unix socket
    return !prefix.empty() && prefix.size() <= longest && prefix.front() != '-' && !in(digits, prefix.back()) &&
           std::all_of(prefix.begin(), prefix.end(), [&](char c) { return in(allowed, c); });
}

std::string namespace_name(std::string_view prefix, host_index host) {
    return fmt::format("{}{}", prefix, host + 1);
}

bool named_by(std::string_view prefix, std::string_view name) {
    if (!name.starts_with(prefix)) {
        return false;
    }
    const std::string_view number = name.substr(prefix.size());
    return !number.empty() && number.front() != '0' && number.find_first_not_of(digits) == std::string_view::npos;
}

}  // namespace starling::netlab
