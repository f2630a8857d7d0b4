#include "api/local_user.hpp"

#include "base/system_text.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <boost/asio/ip/address.hpp>

#include <charconv>
#include <cstring>

namespace starling::api {

namespace asio = boost::asio;

namespace {

using asio::ip::tcp;

/// "local rem st tx:rx tr:when retrnsmt uid": fields between the addresses and the user.
constexpr int fields_before_user = 4;

/// Each 32-bit word of the address as this machine's processor reads it, then the port.
std::string kernel_text(const tcp::endpoint& of, bool as_v6) {
    std::string out;
    const auto append = [&out](const auto& bytes) {
        for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint32_t)) {
            std::uint32_t word = 0;
            std::memcpy(&word, bytes.data() + i, sizeof word);
            out += fmt::format("{:08X}", word);
        }
    };
    const asio::ip::address address = of.address();
    if (address.is_v6()) {
        append(address.to_v6().to_bytes());
    } else if (as_v6) {
        append(asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes());
    } else {
        append(address.to_v4().to_bytes());
    }
    return out + fmt::format(":{:04X}", of.port());
}

std::optional<std::uint32_t> user_in(std::string_view rest_of_line) {
    for (int i = 0; i < fields_before_user; ++i) {
        const auto field = rest_of_line.find_first_not_of(' ');
        if (field == std::string_view::npos) {
            return std::nullopt;
        }
        rest_of_line.remove_prefix(std::min(rest_of_line.find(' ', field), rest_of_line.size()));
    }
    rest_of_line.remove_prefix(std::min(rest_of_line.find_first_not_of(' '), rest_of_line.size()));
    std::uint32_t user = 0;
    const auto [end, failed] = std::from_chars(rest_of_line.data(), rest_of_line.data() + rest_of_line.size(), user);
    return failed == std::errc() ? std::optional(user) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> find_owner(std::string_view table, const tcp::endpoint& client,
                                        const tcp::endpoint& server) {
    for (const bool as_v6 : {false, true}) {
        const std::string ends = " " + kernel_text(client, as_v6) + " " + kernel_text(server, as_v6) + " ";
        const auto found = table.find(ends);
        if (found != std::string_view::npos) {
            const auto rest = table.substr(found + ends.size());
            return user_in(rest.substr(0, rest.find('\n')));
        }
    }
    return std::nullopt;
}

bool is_own_user(const tcp::endpoint& client, const tcp::endpoint& server) {
    if (!client.address().is_loopback() &&
        !(client.address().is_v6() && client.address().to_v6().is_v4_mapped() &&
          asio::ip::make_address_v4(asio::ip::v4_mapped, client.address().to_v6()).is_loopback())) {
        return false;
    }
    for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
        if (const auto owner = find_owner(read_text(table), client, server)) {
            return *owner == ::geteuid();
        }
    }
    return false;
}

}  // namespace starling::api
