#include "api/asking_control.hpp"

#include "api/asking_view.hpp"
#include "api/json_body.hpp"
#include "openai/errc.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace starling::api {

namespace json = boost::json;

namespace {

/// Answers the call where there is no mesh, or the body is no object.
std::optional<json::value> begin(call& call, const asking_view* asking, const std::string& body) {
    if (asking == nullptr) {
        call.send_error(fail(engine::errc::unavailable,
                             "This node takes part in no mesh; start it with `starling serve` or `starling client`."));
        return std::nullopt;
    }
    return read_body(call, body);
}

/// A field that has to be there; the kinds of its value are complained about by the reader.
bool required_flag(const openai::field_reader& fields, std::string_view name) {
    const auto value = fields.boolean(name);
    if (!value) {
        fields.complain(openai::errc::missing_value, name,
                        fmt::format("'{}' is missing; it must be true or false.", name));
    }
    return value.value_or(false);
}

}  // namespace

json::array requests_json(const asking_view& asking) {
    json::array out;
    for (const join_request& one : asking.requests()) {
        out.push_back(
            json::object{{"code", one.code}, {"name", one.name}, {"node_id", one.node_id}, {"since_s", one.since_s}});
    }
    return out;
}

void answer_requests(call& call, const asking_view* asking) {
    call.send_json(json::serialize(asking == nullptr ? json::array() : requests_json(*asking)));
}

void answer_decision(call& call, asking_view* asking, const std::string& body) {
    const auto parsed = begin(call, asking, body);
    if (!parsed) {
        return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    const std::string code(fields.required_string("code"));
    const bool approve = required_flag(fields, "approve");
    const std::string role(fields.string("role").value_or("worker"));
    if (complain(call, found)) {
        return;
    }
    const auto done = asking->decide(code, approve, role);
    if (!done) {
        call.send_error(done.error());
        return;
    }
    call.send_json(json::serialize(json::object{{"code", code}, {"approved", approve}}));
}

json::object own_request_json(const asking_view& asking) {
    json::object out{{"asking", nullptr}};
    if (const auto own = asking.own()) {
        out["asking"] =
            json::object{{"code", own->code},       {"member", own->member},     {"member_id", own->member_id},
                         {"mesh_id", own->mesh_id}, {"approved", own->approved}, {"confirmed", own->confirmed}};
    }
    return out;
}

void answer_own_request(call& call, const asking_view* asking) {
    call.send_json(json::serialize(asking == nullptr ? json::object{{"asking", nullptr}} : own_request_json(*asking)));
}

void answer_confirmation(call& call, asking_view* asking, const std::string& body) {
    const auto parsed = begin(call, asking, body);
    if (!parsed) {
        return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    const bool confirm = required_flag(fields, "confirm");
    const std::string code(fields.string("code").value_or(""));
    if (complain(call, found)) {
        return;
    }
    const auto done = asking->confirm(code, confirm);
    if (!done) {
        call.send_error(done.error());
        return;
    }
    call.send_json(json::serialize(json::object{{"confirmed", confirm}}));
}

}  // namespace starling::api
