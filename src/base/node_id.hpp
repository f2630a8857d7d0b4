// Who a node is: its Ed25519 public key (RFC 8032), written as 64 lowercase hex characters.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace starling {

struct node_id {
    static constexpr std::size_t size = 32;

    std::array<std::uint8_t, size> bytes{};

    auto operator<=>(const node_id&) const = default;
};

/// 64 hex characters.
std::string to_string(const node_id& id);

/// The first eight of them: for people and logs, never to decide anything.
std::string short_name(const node_id& id);

/// Nothing unless the text is exactly 64 lowercase hex characters.
std::optional<node_id> parse_node_id(std::string_view text);

}  // namespace starling

template <>
struct std::hash<starling::node_id> {
    /// A public key is as good as random: some of its bits are its hash.
    std::size_t operator()(const starling::node_id& id) const noexcept {
        std::size_t out = 0;
        std::memcpy(&out, id.bytes.data(), sizeof out);
        return out;
    }
};
