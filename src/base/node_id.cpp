#include "base/node_id.hpp"

#include "base/hex.hpp"

namespace starling {

std::string to_string(const node_id& id) {
    return to_hex(id.bytes);
}

std::string short_name(const node_id& id) {
    constexpr std::size_t shown_bytes = 4;
    return to_hex(std::span(id.bytes).first(shown_bytes));
}

std::optional<node_id> parse_node_id(std::string_view text) {
    node_id id;
    return from_hex(text, id.bytes) ? std::optional(id) : std::nullopt;
}

}  // namespace starling
