#include "upstream/request_codec.hpp"

#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace starling::upstream {

namespace json = boost::json;
using wire::parse_or_null;

namespace {

/// A float as the decimal number that somebody typed: 0.7 and not 0.699999988079071.
double decimal(float value) {
    constexpr double digits = 1e6;
    return std::round(static_cast<double>(value) * digits) / digits;
}

const char* role_name(engine::role role) {
    switch (role) {
        case engine::role::system: return "system";
        case engine::role::user: return "user";
        case engine::role::assistant: return "assistant";
        case engine::role::tool: return "tool";
    }
    return "user";
}

json::object message_json(const engine::message& message) {
    json::object out{{"role", role_name(message.role)}};
    if (message.content.empty() && !message.tool_calls.empty()) {
        out["content"] = nullptr;
    } else {
        out["content"] = message.content;
    }
    if (!message.reasoning.empty()) {
        out["reasoning_content"] = message.reasoning;
    }
    if (!message.name.empty()) {
        out["name"] = message.name;
    }
    if (!message.tool_call_id.empty()) {
        out["tool_call_id"] = message.tool_call_id;
    }
    if (!message.tool_calls.empty()) {
        json::array calls;
        for (const engine::tool_call& call : message.tool_calls) {
            calls.push_back(json::object{
                {"id", call.id},
                {"type", "function"},
                {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}},
            });
        }
        out["tool_calls"] = std::move(calls);
    }
    return out;
}

void add_tools(json::object& body, const engine::chat_prompt& prompt) {
    if (prompt.tools.empty()) {
        return;
    }
    json::array tools;
    for (const engine::tool& tool : prompt.tools) {
        json::object function{{"name", tool.name}};
        if (!tool.description.empty()) {
            function["description"] = tool.description;
        }
        const json::value schema = parse_or_null(tool.parameters);
        if (schema.is_object()) {
            function["parameters"] = schema;
        }
        tools.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
    }
    body["tools"] = std::move(tools);
    body["parallel_tool_calls"] = prompt.parallel_tool_calls;
    switch (prompt.tool_choice) {
        case engine::tool_choice::automatic: body["tool_choice"] = "auto"; break;
        case engine::tool_choice::none: body["tool_choice"] = "none"; break;
        case engine::tool_choice::required: body["tool_choice"] = "required"; break;
    }
}

void add_format(json::object& body, const engine::chat_prompt& prompt) {
    if (prompt.format == engine::output_format::json_object) {
        body["response_format"] = json::object{{"type", "json_object"}};
    } else if (prompt.format == engine::output_format::json_schema) {
        body["response_format"] = json::object{
            {"type", "json_schema"},
            {"json_schema",
             json::object{{"name", "answer"}, {"strict", true}, {"schema", parse_or_null(prompt.json_schema)}}},
        };
    }
}

void add_chat(json::object& body, const engine::chat_prompt& prompt) {
    json::array messages;
    for (const engine::message& message : prompt.messages) {
        messages.push_back(message_json(message));
    }
    body["messages"] = std::move(messages);
    add_tools(body, prompt);
    add_format(body, prompt);
    if (!prompt.template_arguments.empty()) {
        json::object arguments;
        for (const auto& [name, text] : prompt.template_arguments) {
            arguments[name] = parse_or_null(text);
        }
        body["chat_template_kwargs"] = std::move(arguments);
    }
}

void add_sampling(json::object& body, const engine::sampling& sampling) {
    // OpenAI's seed is a signed 64-bit number; ours uses all bits.
    body["seed"] = static_cast<std::int64_t>(sampling.seed & std::numeric_limits<std::int64_t>::max());
    body["temperature"] = decimal(sampling.temperature);
    body["top_p"] = decimal(sampling.top_p);
    if (sampling.top_k > 0) {
        body["top_k"] = sampling.top_k;
    }
    if (sampling.min_p > 0.0F) {
        body["min_p"] = decimal(sampling.min_p);
    }
    if (sampling.repeat_penalty != 1.0F) {
        body["repeat_penalty"] = decimal(sampling.repeat_penalty);
        body["repeat_last_n"] = sampling.penalty_last_n;
    }
    if (sampling.frequency_penalty != 0.0F) {
        body["frequency_penalty"] = decimal(sampling.frequency_penalty);
    }
    if (sampling.presence_penalty != 0.0F) {
        body["presence_penalty"] = decimal(sampling.presence_penalty);
    }
    if (!sampling.logit_bias.empty()) {
        json::object bias;
        for (const auto& [token, weight] : sampling.logit_bias) {
            bias[std::to_string(token)] = decimal(weight);
        }
        body["logit_bias"] = std::move(bias);
    }
}

void add_logprobs(json::object& body, const engine::generate_request& request) {
    if (!request.logprobs) {
        return;
    }
    if (std::holds_alternative<engine::chat_prompt>(request.prompt)) {
        body["logprobs"] = true;
        body["top_logprobs"] = *request.logprobs;
    } else {
        body["logprobs"] = *request.logprobs;
    }
}

}  // namespace

std::string completion_body(const engine::generate_request& request, std::string_view upstream_model) {
    json::object body{{"model", upstream_model}, {"stream", true}};
    body["stream_options"] = json::object{{"include_usage", true}};
    if (const auto* chat = std::get_if<engine::chat_prompt>(&request.prompt)) {
        add_chat(body, *chat);
    } else if (const auto* text = std::get_if<engine::text_prompt>(&request.prompt)) {
        body["prompt"] = text->text;
    } else {
        const auto& tokens = std::get<engine::token_prompt>(request.prompt).tokens;
        body["prompt"] = json::array(tokens.begin(), tokens.end());
    }
    add_sampling(body, request.sampling);
    if (request.max_tokens) {
        body["max_tokens"] = *request.max_tokens;
    }
    if (!request.stop.empty()) {
        body["stop"] = json::array(request.stop.begin(), request.stop.end());
    }
    if (!request.grammar.empty()) {
        body["grammar"] = request.grammar;
    }
    if (request.ignore_end) {
        body["ignore_eos"] = true;
    }
    add_logprobs(body, request);
    return json::serialize(body);
}

std::string embedding_body(const engine::embed_request& request, std::string_view upstream_model) {
    json::array inputs;
    for (const auto& input : request.inputs) {
        if (const auto* text = std::get_if<std::string>(&input)) {
            inputs.push_back(json::value(*text));
        } else {
            const auto& tokens = std::get<std::vector<engine::token_id>>(input);
            inputs.push_back(json::array(tokens.begin(), tokens.end()));
        }
    }
    return json::serialize(
        json::object{{"model", upstream_model}, {"encoding_format", "float"}, {"input", std::move(inputs)}});
}

}  // namespace starling::upstream
