// Whom the mesh makes this node talk to, for people who want to see that.
#include "node/mesh.hpp"
#include "node/own_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace {

std::string shown_name(const peers::peer_view& one) {
    return one.said.name.empty() ? short_name(one.id) : one.said.name;
}

}  // namespace

std::vector<api::contacted_place> mesh::contacted() const {
    std::vector<api::contacted_place> out;
    if (joining_ && !service_) {
        for (const std::string& one : joining_->addresses) {
            out.push_back({.host = one, .why = "has written the invite: asked to let this node in"});
        }
        return out;
    }
    const auto all = service_ ? service_->peers() : std::vector<peers::peer_view>();
    for (const peers::peer_view& one : all) {
        if (one.connection) {
            const auto remote = one.connection->facts().remote;
            out.push_back({.host = address_text(remote.address(), remote.port()),
                           .why = "member of the mesh: " + shown_name(one)});
        } else if (!one.revoked) {
            for (const std::string& address : one.said.addresses) {
                out.push_back({.host = address,
                               .why = "member of the mesh: " + shown_name(one),
                               .when = api::contact_time::when_needed});
            }
        }
    }
    for (const peers::contact& one : memory_ ? memory_->contacts : std::vector<peers::contact>()) {
        const bool is_shown = std::any_of(all.begin(), all.end(), [&](const auto& peer) { return peer.id == one.id; });
        for (const std::string& address : is_shown ? std::vector<std::string>() : one.addresses) {
            out.push_back({.host = address,
                           .why = "member met before: " + short_name(one.id),
                           .when = api::contact_time::when_needed});
        }
    }
    return out;
}

}  // namespace starling::node
