#include "peers/greeting_codec.hpp"

#include "base/shown_name.hpp"
#include "peers/member_record.hpp"
#include "wire/base64url.hpp"
#include "wire/errc.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace starling::peers {

namespace {

namespace json = boost::json;
using admission::errc;
using wire::string_member;

constexpr std::size_t max_software = 64;
constexpr std::size_t max_message = 300;  // why somebody was refused; strangers write it, and people read it

constexpr std::array<std::pair<errc, const char*>, 9> codes{{{errc::wrong_mesh, "wrong_mesh"},
                                                             {errc::forged, "forged"},
                                                             {errc::expired, "expired"},
                                                             {errc::not_yet_valid, "not_yet_valid"},
                                                             {errc::revoked, "revoked"},
                                                             {errc::not_allowed, "not_allowed"},
                                                             {errc::unknown_invite, "unknown_invite"},
                                                             {errc::used, "used"},
                                                             {errc::full, "full"}}};
constexpr const char* unsupported_code = "unsupported";

json::object json_of(const hello& from) {
    return {{"type", "hello"},
            {"version", from.version},
            {"oldest", from.oldest},
            {"software", from.software},
            {"mesh", to_string(from.mesh)},
            {"certificate", wire::to_base64url(admission::encode(from.certificate))}};
}

json::object json_of(const join& from) {
    return {{"type", "join"}, {"mesh", to_string(from.mesh)}, {"secret", wire::to_base64url(from.secret)}};
}

json::object json_of(const welcome& from) {
    return {{"type", "welcome"}, {"certificate", wire::to_base64url(admission::encode(from.certificate))}};
}

json::object json_of(const ask& from) {
    return {{"type", "ask"},
            {"name", shown_name(from.name, max_name_bytes)},
            {"commitment", wire::to_base64url(from.commitment)}};
}

json::object json_of(const ask_nonce& from) {
    return {{"type", "ask_nonce"},
            {"nonce", wire::to_base64url(from.nonce)},
            {"mesh", to_string(from.mesh)},
            {"name", shown_name(from.name, max_name_bytes)}};
}

json::object json_of(const ask_reveal& from) {
    return {{"type", "ask_reveal"}, {"nonce", wire::to_base64url(from.nonce)}};
}

json::object json_of(const refused& from) {
    const auto found = std::find_if(codes.begin(), codes.end(), [&](const auto& one) { return from.why == one.first; });
    return {{"type", "refused"},
            {"code", found == codes.end() ? unsupported_code : found->second},
            {"message", from.why.message}};
}

error malformed() {
    return fail(wire::errc::malformed, "A greeting from another node is damaged.");
}

result<admission::certificate> read_certificate(const json::value& from) {
    const auto bytes = wire::from_base64url(string_member(from, "certificate"));
    if (!bytes || bytes->size() > admission::max_certificate_bytes) {
        return malformed();
    }
    return admission::parse_certificate(*bytes);
}

result<greeting> read_hello(const json::value& from) {
    hello out;
    out.version = wire::count_member(from, "version");
    out.oldest = wire::count_member(from, "oldest");
    out.software = string_member(from, "software").substr(0, max_software);
    const auto mesh = parse_node_id(string_member(from, "mesh"));
    auto certificate = read_certificate(from);
    if (!mesh || !certificate || out.version == 0) {
        return malformed();
    }
    out.mesh = *mesh;
    out.certificate = std::move(*certificate);
    return greeting(std::move(out));
}

/// False unless the member is exactly as many bytes.
bool read_bytes(const json::value& from, std::string_view name, std::span<std::uint8_t> into) {
    const auto bytes = wire::from_base64url(string_member(from, name));
    if (!bytes || bytes->size() != into.size()) {
        return false;
    }
    std::copy(bytes->begin(), bytes->end(), into.begin());
    return true;
}

result<greeting> read_join(const json::value& from) {
    join out;
    const auto mesh = parse_node_id(string_member(from, "mesh"));
    if (!mesh || !read_bytes(from, "secret", out.secret)) {
        return malformed();
    }
    out.mesh = *mesh;
    return greeting(out);
}

result<greeting> read_ask(const json::value& from) {
    ask out;
    out.name = shown_name(string_member(from, "name"), max_name_bytes);
    if (!read_bytes(from, "commitment", out.commitment)) {
        return malformed();
    }
    return greeting(std::move(out));
}

result<greeting> read_ask_nonce(const json::value& from) {
    ask_nonce out;
    const auto mesh = parse_node_id(string_member(from, "mesh"));
    out.name = shown_name(string_member(from, "name"), max_name_bytes);
    if (!mesh || !read_bytes(from, "nonce", out.nonce)) {
        return malformed();
    }
    out.mesh = *mesh;
    return greeting(std::move(out));
}

result<greeting> read_ask_reveal(const json::value& from) {
    ask_reveal out;
    if (!read_bytes(from, "nonce", out.nonce)) {
        return malformed();
    }
    return greeting(out);
}

refused read_refused(const json::value& from) {
    const auto code = string_member(from, "code");
    std::string message = shown_name(string_member(from, "message"), max_message);
    const auto found = std::find_if(codes.begin(), codes.end(), [&](const auto& one) { return code == one.second; });
    return {found == codes.end() ? fail(wire::errc::unsupported, std::move(message))
                                 : fail(found->first, std::move(message))};
}

}  // namespace

std::string to_json(const greeting& from) {
    return json::serialize(std::visit([](const auto& what) { return json_of(what); }, from));
}

result<greeting> parse_greeting(std::string_view text) {
    const json::value from = wire::parse_or_null(text);
    const auto type = string_member(from, "type");
    if (type == "hello") {
        return read_hello(from);
    }
    if (type == "join") {
        return read_join(from);
    }
    if (type == "welcome") {
        auto certificate = read_certificate(from);
        return certificate ? result<greeting>(greeting(welcome{std::move(*certificate)})) : malformed();
    }
    if (type == "ask") {
        return read_ask(from);
    }
    if (type == "ask_nonce") {
        return read_ask_nonce(from);
    }
    if (type == "ask_reveal") {
        return read_ask_reveal(from);
    }
    if (type == "refused") {
        return greeting(read_refused(from));
    }
    return from.is_object() ? fail(wire::errc::unsupported, "A greeting is of a type that is not known here.")
                            : malformed();
}

}  // namespace starling::peers
