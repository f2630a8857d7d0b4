#include "node/mesh_file.hpp"

#include "base/hex.hpp"
#include "keys/digest.hpp"
#include "node/private_file.hpp"
#include "wire/base64url.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <utility>

namespace starling::node {

namespace json = boost::json;

namespace {

/// Ten thousand revocations and a thousand invites, as text.
constexpr std::size_t max_file_bytes = std::size_t{16} * 1024 * 1024;

template <class T>
std::string packed(const T& what) {
    return wire::to_base64url(admission::encode(what));
}

/// Bytes of a text member; empty when they are missing or damaged.
wire::bytes unpacked(std::string_view text) {
    auto bytes = wire::from_base64url(text);
    return bytes ? std::move(*bytes) : wire::bytes();
}

json::array contacts_json(const std::vector<peers::contact>& contacts) {
    json::array out;
    for (const peers::contact& one : contacts) {
        json::array addresses;
        for (const std::string& address : one.addresses) {
            addresses.push_back(json::value(address));
        }
        out.push_back(json::object{{"node_id", to_string(one.id)}, {"addresses", std::move(addresses)}});
    }
    return out;
}

std::vector<peers::contact> read_contacts(const json::value& from) {
    std::vector<peers::contact> out;
    const auto* list = wire::array_member(from, "contacts");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const auto id = parse_node_id(wire::string_member((*list)[i], "node_id"));
        const auto* addresses = wire::array_member((*list)[i], "addresses");
        if (!id || addresses == nullptr) {
            continue;
        }
        peers::contact one{.id = *id, .addresses = {}};
        for (const json::value& address : *addresses) {
            if (const auto* text = address.if_string()) {
                one.addresses.emplace_back(*text);
            }
        }
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

std::string fingerprint(const admission::invite& of) {
    return to_hex(keys::sha256("starling joined", {of.secret}));
}

result<std::optional<mesh_memory>> load_mesh(const std::filesystem::path& file) {
    std::error_code unknown;
    if (!std::filesystem::exists(file, unknown)) {
        return std::optional<mesh_memory>();
    }
    const auto damaged = [&] {
        return fail(errc::data_dir,
                    file.string() + " is damaged; restore it, or move it away and join the mesh again with --join.");
    };
    auto text = read_small_file(file, max_file_bytes);
    if (!text) {
        return text.error();
    }
    const json::value from = wire::parse_or_null(*text);
    if (!from.is_object()) {
        return damaged();
    }
    auto certificate = admission::parse_certificate(unpacked(wire::string_member(from, "certificate")));
    auto invites = admission::parse_invite_book(unpacked(wire::string_member(from, "invites")));
    if (!certificate || !invites) {
        return damaged();
    }
    mesh_memory out;
    out.certificate = std::move(*certificate);
    out.joined_with = wire::string_member(from, "joined_with");
    out.invites = std::move(*invites);
    out.contacts = read_contacts(from);
    const auto* revoked = wire::array_member(from, "revoked");
    for (std::size_t i = 0; revoked != nullptr && i < revoked->size(); ++i) {
        const auto* one = (*revoked)[i].if_string();
        auto parsed = admission::parse_revocation(one == nullptr ? wire::bytes() : unpacked(*one));
        if (!parsed) {
            return damaged();
        }
        out.revoked.push_back(std::move(*parsed));
    }
    return std::optional(std::move(out));
}

result<void> save_mesh(const std::filesystem::path& file, const mesh_memory& what) {
    json::array revoked;
    for (const admission::revocation& one : what.revoked) {
        revoked.push_back(json::value(packed(one)));
    }
    const json::object out{{"mesh_id", to_string(what.certificate.mesh)},
                           {"certificate", packed(what.certificate)},
                           {"joined_with", what.joined_with},
                           {"contacts", contacts_json(what.contacts)},
                           {"revoked", std::move(revoked)},
                           {"invites", packed(what.invites)}};
    return write_private_file(file, json::serialize(out) + "\n");
}

}  // namespace starling::node
