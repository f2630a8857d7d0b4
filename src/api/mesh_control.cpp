#include "api/mesh_control.hpp"

#include "api/json_body.hpp"
#include "api/mesh_view.hpp"
#include "api/plan_json.hpp"
#include "openai/errc.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace starling::api {

namespace json = boost::json;

namespace {

constexpr std::int64_t usual_invite_s =
    std::int64_t{24} * 3600;  // a day: long enough for the walk to the other machine
constexpr std::int64_t least_invite_s = 60;
constexpr std::int64_t most_invite_s = std::int64_t{30} * 24 * 3600;  // an invite that lies about for longer is a hole

constexpr std::int64_t most_context_tokens = std::int64_t{1} << 24;  // as the setting
constexpr std::int64_t most_slots = 256;
constexpr std::int64_t most_stages = 16;

/// Answers the call where there is no mesh, or the body is no object.
std::optional<json::value> begin(call& call, const mesh_view* mesh, const std::string& body) {
    if (mesh == nullptr || mesh->id().empty()) {
        call.send_error(
            fail(engine::errc::unavailable,
                 "This node is in no mesh yet; start it with `starling serve`, or wait until it has joined."));
        return std::nullopt;
    }
    return read_body(call, body);
}

}  // namespace

void answer_invite(call& call, mesh_view* mesh, const std::string& body) {
    const auto parsed = begin(call, mesh, body);
    if (!parsed) {
        return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    const auto role = fields.string("role").value_or("worker");
    const auto expires_s = fields.integer("expires_s", least_invite_s, most_invite_s).value_or(usual_invite_s);
    const bool may_invite = fields.boolean("may_invite").value_or(false);
    if (complain(call, found)) {
        return;
    }
    const auto written = mesh->invite(role, expires_s, may_invite);
    if (!written) {
        call.send_error(written.error());
        return;
    }
    json::array addresses;
    for (const std::string& one : written->addresses) {
        addresses.push_back(json::value(one));
    }
    call.send_json(json::serialize(json::object{{"invite", written->text},
                                                {"role", written->role},
                                                {"expires_unix_s", written->expires_unix_s},
                                                {"addresses", std::move(addresses)},
                                                {"this_machine_only", written->this_machine_only}}));
}

void answer_revocation(call& call, mesh_view* mesh, const std::string& body) {
    const auto parsed = begin(call, mesh, body);
    if (!parsed) {
        return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    const std::string node_id(fields.required_string("node_id"));
    if (complain(call, found)) {
        return;
    }
    const auto done = mesh->revoke(node_id);
    if (!done) {
        call.send_error(done.error());
        return;
    }
    call.send_json(json::serialize(json::object{{"node_id", node_id}}));
}

namespace {

/// "auto", "never", or a number, which scripts write as one and people as text.
std::optional<std::string> read_split(const openai::field_reader& fields) {
    const json::value* given = fields.find("split");
    if (given == nullptr) {
        return std::nullopt;
    }
    if (given->is_string()) {
        return std::string(given->get_string());
    }
    const auto stages = fields.integer("split", 1, most_stages);
    return stages ? std::optional(std::to_string(*stages)) : std::nullopt;
}

std::optional<std::int32_t> narrow(std::optional<std::int64_t> from) {
    return from ? std::optional(static_cast<std::int32_t>(*from)) : std::nullopt;
}

}  // namespace

boost::asio::awaitable<void> answer_plan(call& call, mesh_view* mesh, std::string body) {
    if (mesh == nullptr) {
        call.send_error(fail(engine::errc::unavailable, "This node serves no model; start it with `starling serve`."));
        co_return;
    }
    const auto parsed = read_body(call, body);
    if (!parsed) {
        co_return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    plan_question asked;
    asked.model = std::string(fields.required_string("model"));
    asked.split = read_split(fields);
    asked.context = narrow(fields.integer("ctx", 0, most_context_tokens));
    asked.slots = narrow(fields.integer("slots", 0, most_slots));
    if (complain(call, found)) {
        co_return;
    }
    auto planning = mesh->plan(std::move(asked));
    const auto made = co_await std::move(planning);
    if (!made) {
        call.send_error(made.error());
        co_return;
    }
    call.send_json(json::serialize(plan_json(*made)));
}

}  // namespace starling::api
