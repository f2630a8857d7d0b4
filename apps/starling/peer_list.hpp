// The nodes of a mesh as /api/peers names them: read, shown as a table, and found by the beginning of an id. Pure.
#pragma once

#include "base/result.hpp"
#include "node/errc.hpp"
#include "settings/errc.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::cli {

/// Texts come from other nodes and are already safe to show on one line.
struct listed_peer {
    std::string node_id;
    std::string name;
    std::string role;
    std::string state;  // alive, suspect, dead, left
    std::string path;   // direct, relay, local
    std::optional<double> rtt_ms;
    std::string health_state;
    std::optional<double> health_score;
    std::vector<std::string> models;
    std::string version;
    bool is_asked = false;  // the node that told all this
};

/// The node that was asked first, the others by their names. What is no peer is left out.
std::vector<listed_peer> read_peers(const boost::json::array& from, std::string_view asked_id);

/// With a heading; lines end with a line feed. Empty for no peers.
std::string peer_table(const std::vector<listed_peer>& peers);

/// Characters of an id that are shown, and that are needed to name a node: one in four billion is the same.
inline constexpr std::size_t short_id_length = 8;
inline constexpr std::size_t whole_id_length = 64;

std::string short_id(std::string_view id);

/// The whole id that `text` names: itself when it is whole, else that of the one peer whose id begins so.
/// Errors: settings::errc::wrong_usage when it is no beginning of an id; node::errc::remote when no peer or more than
/// one has it.
result<std::string> whole_id(std::string_view text, const std::vector<listed_peer>& peers);

}  // namespace starling::cli
