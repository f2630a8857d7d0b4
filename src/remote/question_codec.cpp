#include "remote/fields.hpp"
#include "remote/messages.hpp"

#include <algorithm>
#include <utility>

namespace starling::remote {

namespace {

constexpr auto longest_deadline = std::chrono::hours(24);  // more is none

constexpr names<engine::role, 4> roles{{{engine::role::system, "system"},
                                        {engine::role::user, "user"},
                                        {engine::role::assistant, "assistant"},
                                        {engine::role::tool, "tool"}}};
constexpr names<engine::tool_choice, 3> choices{{{engine::tool_choice::automatic, "auto"},
                                                 {engine::tool_choice::none, "none"},
                                                 {engine::tool_choice::required, "required"}}};
constexpr names<engine::output_format, 3> formats{{{engine::output_format::text, "text"},
                                                   {engine::output_format::json_object, "json_object"},
                                                   {engine::output_format::json_schema, "json_schema"}}};

json::object message_json(const engine::message& from) {
    json::object out{{"role", name_of(roles, from.role)}, {"content", from.content}};
    put(out, "reasoning", from.reasoning);
    put(out, "tool_call_id", from.tool_call_id);
    put(out, "name", from.name);
    put_list(out, "tool_calls", from.tool_calls, [](const engine::tool_call& call) {
        return json::object{{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}};
    });
    return out;
}

engine::message read_message(const json::value& from) {
    engine::message out;
    out.role = value_of(roles, string_member(from, "role"), engine::role::user);
    out.content = string_member(from, "content");
    out.reasoning = string_member(from, "reasoning");
    out.tool_call_id = string_member(from, "tool_call_id");
    out.name = string_member(from, "name");
    out.tool_calls = read_list<engine::tool_call>(from, "tool_calls", [](const json::value& call) {
        return engine::tool_call{.id = std::string(string_member(call, "id")),
                                 .name = std::string(string_member(call, "name")),
                                 .arguments = std::string(string_member(call, "arguments"))};
    });
    return out;
}

json::object chat_json(const engine::chat_prompt& from) {
    json::object out;
    put_list(out, "messages", from.messages, message_json);
    put_list(out, "tools", from.tools, [](const engine::tool& tool) {
        return json::object{{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}};
    });
    out["tool_choice"] = name_of(choices, from.tool_choice);
    out["parallel_tool_calls"] = from.parallel_tool_calls;
    out["format"] = name_of(formats, from.format);
    put(out, "json_schema", from.json_schema);
    put_list(out, "template_arguments", from.template_arguments,
             [](const auto& one) { return json::array{one.first, one.second}; });
    return out;
}

engine::chat_prompt read_chat(const json::value& from) {
    engine::chat_prompt out;
    out.messages = read_list<engine::message>(from, "messages", read_message);
    out.tools = read_list<engine::tool>(from, "tools", [](const json::value& tool) {
        return engine::tool{.name = std::string(string_member(tool, "name")),
                            .description = std::string(string_member(tool, "description")),
                            .parameters = std::string(string_member(tool, "parameters"))};
    });
    out.tool_choice = value_of(choices, string_member(from, "tool_choice"), engine::tool_choice::automatic);
    out.parallel_tool_calls = flag_member(from, "parallel_tool_calls");
    out.format = value_of(formats, string_member(from, "format"), engine::output_format::text);
    out.json_schema = string_member(from, "json_schema");
    out.template_arguments = read_list<std::pair<std::string, std::string>>(
        from, "template_arguments",
        [](const json::value& pair) { return std::pair(text_at(pair, 0), text_at(pair, 1)); });
    return out;
}

json::object sampling_json(const engine::sampling& from) {
    json::object out{{"seed", from.seed},
                     {"temperature", from.temperature},
                     {"top_p", from.top_p},
                     {"top_k", from.top_k},
                     {"min_p", from.min_p},
                     {"repeat_penalty", from.repeat_penalty},
                     {"frequency_penalty", from.frequency_penalty},
                     {"presence_penalty", from.presence_penalty},
                     {"penalty_last_n", from.penalty_last_n}};
    put_list(out, "logit_bias", from.logit_bias, [](const auto& one) { return json::array{one.first, one.second}; });
    return out;
}

engine::sampling read_sampling(const json::value& from) {
    engine::sampling out;
    out.seed = unsigned_member(from, "seed");
    out.temperature = float_member(from, "temperature", out.temperature);
    out.top_p = float_member(from, "top_p", out.top_p);
    out.top_k = int_member(from, "top_k", out.top_k);
    out.min_p = float_member(from, "min_p", out.min_p);
    out.repeat_penalty = float_member(from, "repeat_penalty", out.repeat_penalty);
    out.frequency_penalty = float_member(from, "frequency_penalty", out.frequency_penalty);
    out.presence_penalty = float_member(from, "presence_penalty", out.presence_penalty);
    out.penalty_last_n = int_member(from, "penalty_last_n", out.penalty_last_n);
    out.logit_bias = read_list<std::pair<engine::token_id, float>>(
        from, "logit_bias", [](const json::value& pair) { return std::pair(int_at(pair, 0), float_at(pair, 1)); });
    return out;
}

void put_call(json::object& out, const aio::call_context& call, aio::steady_time now) {
    out["version"] = version;
    out["request_id"] = call.request_id;
    if (call.deadline != aio::steady_time::max()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call.deadline - now);
        out["deadline_ms"] = std::max<std::int64_t>(left.count(), 0);
    }
}

aio::call_context read_call(const json::value& from, aio::steady_time now) {
    aio::call_context out{std::string(string_member(from, "request_id"))};
    if (const auto left = wire::number_member(from, "deadline_ms")) {
        constexpr auto most = std::chrono::duration_cast<std::chrono::milliseconds>(longest_deadline).count();
        out.deadline = now + std::chrono::milliseconds(
                                 static_cast<std::int64_t>(std::clamp(*left, 0.0, static_cast<double>(most))));
    }
    return out;
}

json::value tokens_json(const std::vector<engine::token_id>& tokens) {
    return json::array(tokens.begin(), tokens.end());
}

result<question> read_prompt(const json::value& from, aio::steady_time now) {
    prompt out;
    out.call = read_call(from, now);
    auto& request = out.request;
    request.model = string_member(from, "model");
    if (const auto* chat = wire::member(from, "chat")) {
        request.prompt = read_chat(*chat);
    } else if (wire::member(from, "text") != nullptr) {
        request.prompt = engine::text_prompt{std::string(string_member(from, "text"))};
    } else if (wire::array_member(from, "tokens") != nullptr) {
        request.prompt = engine::token_prompt{read_tokens(from, "tokens")};
    } else {
        return fail(wire::errc::malformed, "A prompt came without a conversation, text or tokens.");
    }
    if (const auto* sampling = wire::member(from, "sampling")) {
        request.sampling = read_sampling(*sampling);
    }
    request.max_tokens = optional_int_member(from, "max_tokens");
    request.stop = read_list<std::string>(from, "stop", as_text);
    request.grammar = string_member(from, "grammar");
    request.logprobs = optional_int_member(from, "logprobs");
    request.ignore_end = flag_member(from, "ignore_end");
    request.resume = read_tokens(from, "resume");
    return question(std::move(out));
}

}  // namespace

std::string to_json(const prompt& from, aio::steady_time now) {
    const auto& request = from.request;
    json::object out{{"type", "prompt"}, {"model", request.model}};
    put_call(out, from.call, now);
    if (const auto* chat = std::get_if<engine::chat_prompt>(&request.prompt)) {
        out["chat"] = chat_json(*chat);
    } else if (const auto* text = std::get_if<engine::text_prompt>(&request.prompt)) {
        out["text"] = text->text;
    } else {
        out["tokens"] = tokens_json(std::get<engine::token_prompt>(request.prompt).tokens);
    }
    out["sampling"] = sampling_json(request.sampling);
    if (request.max_tokens) {
        out["max_tokens"] = *request.max_tokens;
    }
    put_list(out, "stop", request.stop, [](const std::string& one) { return json::value(one); });
    put(out, "grammar", request.grammar);
    if (request.logprobs) {
        out["logprobs"] = *request.logprobs;
    }
    out["ignore_end"] = request.ignore_end;
    if (!request.resume.empty()) {
        out["resume"] = tokens_json(request.resume);
    }
    return json::serialize(out);
}

std::string to_json(const embed& from, aio::steady_time now) {
    json::object out{{"type", "embed"}, {"model", from.request.model}};
    put_call(out, from.call, now);
    put_list(out, "inputs", from.request.inputs, [](const auto& input) {
        const auto* text = std::get_if<std::string>(&input);
        return text != nullptr ? json::value(*text) : tokens_json(std::get<std::vector<engine::token_id>>(input));
    });
    return json::serialize(out);
}

result<question> parse_question(std::string_view text, aio::steady_time now) {
    const auto from = parse_object(text);
    if (!from) {
        return from.error();
    }
    const auto type = string_member(*from, "type");
    if (int_member(*from, "version", version) > version) {
        return fail(wire::errc::unsupported, "The request is from a newer Starling than this node understands.");
    }
    if (type == "prompt") {
        return read_prompt(*from, now);
    }
    if (type == "embed") {
        embed out;
        out.call = read_call(*from, now);
        out.request.model = string_member(*from, "model");
        using input = std::variant<std::string, std::vector<engine::token_id>>;
        out.request.inputs = read_list<input>(*from, "inputs", [](const json::value& one) {
            return one.is_array() ? input(tokens_of(one)) : input(as_text(one));
        });
        return question(std::move(out));
    }
    return fail(wire::errc::unsupported, "This node does not know requests of that type.");
}

}  // namespace starling::remote
