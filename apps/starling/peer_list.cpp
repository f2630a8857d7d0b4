#include "peer_list.hpp"

#include "json_fields.hpp"
#include "terminal.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <tuple>

namespace starling::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t columns = 8;
using cells = std::array<std::string, columns>;
constexpr std::size_t gap = 2;  // between two columns

std::string rounded(double number, int digits) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, number);
    return text.data();
}

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string rtt_of(const listed_peer& peer) {
    if (!peer.rtt_ms || peer.is_asked) {
        return "-";
    }
    const std::string time = rounded(*peer.rtt_ms, *peer.rtt_ms < 10.0 ? 1 : 0) + " ms";
    return peer.path == "relay" ? time + " (relay)" : time;
}

std::string health_of(const listed_peer& peer) {
    if (!peer.health_score) {
        return or_dash(peer.health_state);
    }
    return peer.health_state + (peer.health_state.empty() ? "" : " ") + rounded(*peer.health_score, 0);
}

std::string models_of(const listed_peer& peer) {
    std::string out;
    for (const std::string& model : peer.models) {
        out += (out.empty() ? "" : ", ") + model;
    }
    return or_dash(out);
}

cells cells_of(const listed_peer& peer) {
    return {or_dash(peer.name) + (peer.is_asked ? " (this node)" : ""),
            short_id(peer.node_id),
            or_dash(peer.role),
            or_dash(peer.state),
            rtt_of(peer),
            health_of(peer),
            models_of(peer),
            or_dash(peer.version)};
}

/// Characters, near enough for columns: the bytes that begin one.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string shown(const json::object& from, std::string_view name) {
    return printable_line(text_of(from, name));
}

listed_peer read_peer(const json::object& from, std::string_view asked_id) {
    listed_peer out;
    out.node_id = shown(from, "node_id");
    out.name = shown(from, "name");
    out.role = shown(from, "role");
    out.state = shown(from, "state");
    out.path = shown(from, "path");
    out.rtt_ms = maybe_number_of(from, "rtt_ms");
    const json::object& health = object_of(from, "health");
    out.health_state = shown(health, "state");
    out.health_score = maybe_number_of(health, "score");
    for (const json::value& model : array_of(from, "models")) {
        if (const json::string* id = model.if_string()) {
            out.models.push_back(printable_line(std::string_view(id->data(), id->size())));
        }
    }
    out.version = shown(from, "version");
    out.is_asked = !out.node_id.empty() && out.node_id == asked_id;
    return out;
}

}  // namespace

std::vector<listed_peer> read_peers(const json::array& from, std::string_view asked_id) {
    std::vector<listed_peer> out;
    for (const json::value& item : from) {
        if (const json::object* peer = item.if_object()) {
            out.push_back(read_peer(*peer, asked_id));
        }
    }
    std::sort(out.begin(), out.end(), [](const listed_peer& a, const listed_peer& b) {
        return std::make_tuple(!a.is_asked, std::string_view(a.name), std::string_view(a.node_id)) <
               std::make_tuple(!b.is_asked, std::string_view(b.name), std::string_view(b.node_id));
    });
    return out;
}

std::string peer_table(const std::vector<listed_peer>& peers) {
    if (peers.empty()) {
        return {};
    }
    std::vector<cells> rows{{"NAME", "ID", "ROLE", "STATE", "RTT", "HEALTH", "MODELS", "VERSION"}};
    for (const listed_peer& peer : peers) {
        rows.push_back(cells_of(peer));
    }
    std::array<std::size_t, columns> widths{};
    for (const cells& row : rows) {
        for (std::size_t i = 0; i < columns; ++i) {
            widths[i] = std::max(widths[i], width(row[i]));
        }
    }
    std::string out;
    for (const cells& row : rows) {
        for (std::size_t i = 0; i < columns; ++i) {
            out += row[i];
            out.append(i + 1 < columns ? widths[i] - width(row[i]) + gap : 0, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string short_id(std::string_view id) {
    return std::string(id.substr(0, short_id_length));
}

result<std::string> whole_id(std::string_view text, const std::vector<listed_peer>& peers) {
    std::string wanted(text);
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool hex = wanted.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex || wanted.size() < short_id_length || wanted.size() > whole_id_length) {
        return fail(settings::errc::wrong_usage, "'" + std::string(text) +
                                                     "' is no node id: give 8 or more of the characters that "
                                                     "`starling peers` shows, up to all 64.");
    }
    if (wanted.size() == whole_id_length) {
        return wanted;
    }
    std::vector<std::string> found;
    for (const listed_peer& peer : peers) {
        if (peer.node_id.starts_with(wanted)) {
            found.push_back(peer.node_id);
        }
    }
    if (found.empty()) {
        return fail(node::errc::remote,
                    "No node of this mesh has an id that begins with " + wanted + "; see: starling peers");
    }
    if (found.size() > 1) {
        return fail(node::errc::remote, std::to_string(found.size()) + " nodes have ids that begin with " + wanted +
                                            " (" + found[0] + ", " + found[1] + (found.size() > 2 ? ", …" : "") +
                                            "); give more of it.");
    }
    return found.front();
}

}  // namespace starling::cli
