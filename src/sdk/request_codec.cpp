#include "sdk/request_codec.hpp"

#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <utility>

namespace starling::sdk {

namespace {

error no_schema(const std::string& of) {
    return {.kind = error_kind::invalid_request, .message = of + " must be a JSON schema: the text of a JSON object."};
}

bool is_json_object(const std::string& text) {
    return wire::parse_or_null(text).is_object();
}

engine::role to_engine(role from) {
    switch (from) {
        case role::system: return engine::role::system;
        case role::user: return engine::role::user;
        case role::assistant: return engine::role::assistant;
        case role::tool: return engine::role::tool;
    }
    return engine::role::user;
}

engine::tool_choice to_engine(tool_choice from) {
    switch (from) {
        case tool_choice::automatic: return engine::tool_choice::automatic;
        case tool_choice::none: return engine::tool_choice::none;
        case tool_choice::required: return engine::tool_choice::required;
    }
    return engine::tool_choice::automatic;
}

engine::message to_engine(message from) {
    engine::message out;
    out.role = to_engine(from.role);
    out.content = std::move(from.content);
    for (tool_call& call : from.tool_calls) {
        out.tool_calls.push_back(
            {.id = std::move(call.id), .name = std::move(call.name), .arguments = std::move(call.arguments)});
    }
    out.tool_call_id = std::move(from.tool_call_id);
    return out;
}

}  // namespace

outcome<engine::generate_request> to_engine(chat_request request, std::uint64_t fresh_seed) {
    engine::chat_prompt prompt;
    for (message& one : request.messages) {
        prompt.messages.push_back(to_engine(std::move(one)));
    }
    for (tool& one : request.tools) {
        if (!is_json_object(one.parameters)) {
            return no_schema("The parameters of the tool '" + one.name + "'");
        }
        prompt.tools.push_back({.name = std::move(one.name),
                                .description = std::move(one.description),
                                .parameters = std::move(one.parameters)});
    }
    prompt.tool_choice = to_engine(request.tool_choice);
    prompt.parallel_tool_calls = !prompt.tools.empty();
    if (!request.response_schema.empty()) {
        if (!is_json_object(request.response_schema)) {
            return no_schema("response_schema");
        }
        prompt.format = engine::output_format::json_schema;
        prompt.json_schema = std::move(request.response_schema);
    }
    engine::generate_request out;
    out.model = request.model.empty() ? "auto" : std::move(request.model);
    out.prompt = std::move(prompt);
    out.sampling.seed = request.seed.value_or(fresh_seed);
    out.sampling.temperature = request.temperature;
    out.sampling.top_p = request.top_p;
    out.max_tokens = request.max_tokens;
    out.stop = std::move(request.stop);
    return out;
}

}  // namespace starling::sdk
