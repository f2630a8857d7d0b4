#include "api/sharing_control.hpp"

#include "api/json_body.hpp"
#include "openai/errc.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <limits>
#include <string_view>

namespace starling::api {

namespace json = boost::json;

namespace {

constexpr std::string_view by_invite = "invite";
constexpr std::string_view by_invite_or_ask = "invite_or_ask";

std::optional<who_joins> read_who(const openai::field_reader& fields) {
    const auto given = fields.string("who");
    if (!given) {
        return std::nullopt;
    }
    if (*given == by_invite) {
        return who_joins::invite;
    }
    if (*given != by_invite_or_ask) {
        fields.complain(openai::errc::invalid_value, "who", "'who' must be invite or invite_or_ask.");
    }
    return who_joins::invite_or_ask;
}

}  // namespace

json::object sharing_json(const sharing_view* sharing) {
    const sharing_facts now = sharing == nullptr ? sharing_facts() : sharing->facts();
    json::array fixed;
    for (const std::string& one : now.fixed) {
        fixed.push_back(json::value(one));
    }
    return {{"in_mesh", now.in_mesh},
            {"sharing", now.sharing},
            {"reachable", now.reachable},
            {"listens", now.listens},
            {"who", now.who == who_joins::invite ? by_invite : by_invite_or_ask},
            {"may_invite", now.may_invite},
            {"memory_bytes", now.memory_bytes},
            {"memory_total_bytes", now.memory_total_bytes},
            {"fixed", std::move(fixed)}};
}

void answer_sharing(call& call, const sharing_view* sharing) {
    call.send_json(json::serialize(sharing_json(sharing)));
}

void answer_sharing_wish(call& call, sharing_view* sharing, const std::string& body) {
    if (sharing == nullptr) {
        call.send_error(fail(engine::errc::unavailable,
                             "This node takes part in no mesh; start it with `starling serve` or `starling client`."));
        return;
    }
    const auto parsed = read_body(call, body);
    if (!parsed) {
        return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    sharing_wish wish;
    wish.sharing = fields.boolean("sharing");
    wish.reachable = fields.boolean("reachable");
    wish.who = read_who(fields);
    if (const auto bytes = fields.integer("memory_bytes", 0, std::numeric_limits<std::int64_t>::max())) {
        wish.memory_bytes = static_cast<std::uint64_t>(*bytes);
    }
    if (complain(call, found)) {
        return;
    }
    const auto done = sharing->change(wish);
    if (!done) {
        call.send_error(done.error());
        return;
    }
    json::object out = sharing_json(sharing);
    if (*done == sharing_outcome::restarts) {
        out["restarting"] = true;
    }
    call.send_json(json::serialize(out));
}

}  // namespace starling::api
