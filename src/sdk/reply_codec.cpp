#include "sdk/reply_codec.hpp"

#include "base/node_id.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <string>

namespace starling::sdk {

namespace json = boost::json;
using wire::array_member;
using wire::count_member;
using wire::member;
using wire::parse_or_null;
using wire::string_member;

namespace {

std::string text_member(const json::value& of, std::string_view name) {
    return std::string(string_member(of, name));
}

model_state state_of(std::string_view name) {
    if (name == "ready") {
        return model_state::ready;
    }
    if (name == "failed") {
        return model_state::failed;
    }
    // "fetching" and whatever else comes before it is ready.
    return name.empty() ? model_state::unknown : model_state::loading;
}

model_state state_in(const json::array* status, std::string_view id) {
    if (status != nullptr) {
        for (const json::value& one : *status) {
            if (string_member(one, "id") == id) {
                return state_of(string_member(one, "state"));
            }
        }
    }
    return model_state::unknown;
}

}  // namespace

std::optional<node_info> parse_status(std::string_view body) {
    const json::value status = parse_or_null(body);
    node_info out{.id = text_member(status, "node_id"),
                  .name = text_member(status, "name"),
                  .version = text_member(status, "version"),
                  .mesh_id = text_member(status, "mesh_id")};
    if (!parse_node_id(out.id)) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::vector<model>> parse_models(std::string_view list, std::string_view status) {
    const json::value listed = parse_or_null(list);
    const json::value known = parse_or_null(status);
    const json::array* data = array_member(listed, "data");
    if (data == nullptr) {
        return std::nullopt;
    }
    const json::array* states = array_member(known, "models");
    std::vector<model> out;
    for (const json::value& item : *data) {
        model one{.id = text_member(item, "id")};
        if (one.id.empty()) {
            continue;
        }
        if (const json::value* meta = member(item, "meta")) {
            one.context_length = count_member(*meta, "context_length");
        }
        one.state = state_in(states, one.id);
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace starling::sdk
