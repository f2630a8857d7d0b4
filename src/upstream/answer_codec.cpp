#include "upstream/answer_codec.hpp"

#include "upstream/logprobs_codec.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <utility>

namespace starling::upstream {

namespace json = boost::json;
using wire::array_member;
using wire::count_member;
using wire::member;
using wire::number_member;
using wire::parse_or_null;
using wire::string_member;

namespace {

/// A name for a model is for one line, and is kept for as long as the answer lasts.
constexpr std::size_t max_model_name_bytes = 256;

error not_understood(const server_words& server) {
    return fail(engine::errc::upstream_error,
                server.name + " sent something that is not an OpenAI answer; check that its URL is right.");
}

engine::finish_reason finish_reason_of(std::string_view name, bool saw_tool_calls) {
    if (name == "length") {
        return engine::finish_reason::length;
    }
    // Some servers say "stop" after tool calls.
    if (name == "tool_calls" || name == "function_call" || saw_tool_calls) {
        return engine::finish_reason::tool_calls;
    }
    return engine::finish_reason::stop;
}

/// OpenAI sends the arguments as text; a few servers send the object itself.
std::string arguments_text(const json::value& function) {
    const json::value* arguments = member(function, "arguments");
    if (arguments == nullptr) {
        return {};
    }
    if (const json::string* text = arguments->if_string()) {
        return std::string(text->data(), text->size());
    }
    return json::serialize(*arguments);
}

void take_tool_calls(const json::array& calls, engine::chunk& chunk) {
    std::size_t position = 0;
    for (const json::value& call : calls) {
        engine::tool_call_delta delta;
        const auto index = number_member(call, "index");
        // A whole (not streamed) message numbers its calls by their order.
        delta.index = index && *index >= 0.0 ? static_cast<std::size_t>(count_member(call, "index")) : position;
        delta.id = string_member(call, "id");
        if (const json::value* function = member(call, "function")) {
            delta.name = string_member(*function, "name");
            delta.arguments = arguments_text(*function);
        }
        chunk.tool_calls.push_back(std::move(delta));
        ++position;
    }
}

/// The text fields of a `delta`, of a whole `message`, or of a text completion's choice.
void take_text(const json::value& from, engine::chunk& chunk) {
    chunk.content += string_member(from, "content");
    chunk.content += string_member(from, "text");
    // Refusals are OpenAI's own; to the reader they are the answer.
    chunk.content += string_member(from, "refusal");
    std::string_view reasoning = string_member(from, "reasoning_content");
    if (reasoning.empty()) {
        reasoning = string_member(from, "reasoning");
    }
    chunk.reasoning += reasoning;
    if (const json::array* calls = array_member(from, "tool_calls")) {
        take_tool_calls(*calls, chunk);
    }
}

bool has_payload(const engine::chunk& chunk) {
    return !chunk.content.empty() || !chunk.reasoning.empty() || !chunk.tool_calls.empty() || !chunk.tokens.empty();
}

}  // namespace

result<void> answer_decoder::feed(std::string_view bytes, std::vector<engine::stream_event>& out) {
    std::vector<sse_event> events;
    if (auto fed = events_.feed(bytes, events); !fed) {
        return fed;
    }
    for (const sse_event& event : events) {
        if (auto taken = take_event(event, out); !taken) {
            return taken;
        }
    }
    return {};
}

result<void> answer_decoder::feed_whole(std::string_view body, std::vector<engine::stream_event>& out) {
    const json::value object = parse_or_null(body);
    return object.is_object() ? take_object(object, out) : result<void>(not_understood(server_));
}

result<void> answer_decoder::finish(std::vector<engine::stream_event>& out) {
    std::vector<sse_event> events;
    events_.finish(events);
    for (const sse_event& event : events) {
        if (auto taken = take_event(event, out); !taken) {
            return taken;
        }
    }
    if (done_) {
        return {};
    }
    if (!reason_) {
        return fail(engine::errc::unavailable, server_.name + " closed the connection before the answer was finished.");
    }
    give_finished(out);
    return {};
}

result<void> answer_decoder::take_event(const sse_event& event, std::vector<engine::stream_event>& out) {
    if (done_) {
        return {};
    }
    if (event.data == "[DONE]") {
        if (!reason_) {
            return fail(engine::errc::unavailable, server_.name + " ended the answer without saying why.");
        }
        give_finished(out);
        return {};
    }
    const json::value object = parse_or_null(event.data);
    if (event.name == "error" && !object.is_object()) {
        return error_of(0, event.data, server_);
    }
    return object.is_object() ? take_object(object, out) : result<void>(not_understood(server_));
}

result<void> answer_decoder::take_object(const json::value& object, std::vector<engine::stream_event>& out) {
    if (member(object, "error") != nullptr) {
        return error_of(0, json::serialize(object), server_);
    }
    if (const json::value* usage = member(object, "usage")) {
        take_usage(*usage);
    }
    if (model_.empty()) {
        model_ = string_member(object, "model").substr(0, max_model_name_bytes);
    }
    const json::array* choices = array_member(object, "choices");
    if (choices != nullptr && !choices->empty()) {
        take_choice(choices->front(), out);
    }
    return {};
}

void answer_decoder::take_choice(const json::value& choice, std::vector<engine::stream_event>& out) {
    const json::value* part = member(choice, "delta");
    if (part == nullptr) {
        part = member(choice, "message");
    }
    engine::chunk chunk;
    take_text(part == nullptr ? choice : *part, chunk);
    saw_tool_calls_ = saw_tool_calls_ || !chunk.tool_calls.empty();
    if (const json::value* logprobs = member(choice, "logprobs")) {
        chunk.tokens = parse_logprobs(*logprobs);
    }
    if (has_payload(chunk)) {
        if (chunk.tokens.empty()) {
            // What one event carries is one token, as far as anybody can tell from here.
            chunk.tokens.push_back({.id = engine::no_token,
                                    .bytes = chunk.content.empty() ? chunk.reasoning : chunk.content,
                                    .logprob = std::nullopt,
                                    .alternatives = {}});
        }
        pieces_ += static_cast<std::int32_t>(chunk.tokens.size());
        out.emplace_back(std::move(chunk));
    }
    if (const std::string_view reason = string_member(choice, "finish_reason"); !reason.empty()) {
        reason_ = finish_reason_of(reason, saw_tool_calls_);
    }
}

void answer_decoder::take_usage(const json::value& usage) {
    usage_.prompt_tokens = count_member(usage, "prompt_tokens");
    usage_.completion_tokens = count_member(usage, "completion_tokens");
    if (const json::value* details = member(usage, "prompt_tokens_details")) {
        usage_.cached_tokens = count_member(*details, "cached_tokens");
    }
}

void answer_decoder::give_finished(std::vector<engine::stream_event>& out) {
    if (usage_.completion_tokens == 0) {
        usage_.completion_tokens = pieces_;
    }
    engine::finished last;
    last.reason = *reason_;
    last.usage = usage_;
    out.emplace_back(last);
    done_ = true;
}

}  // namespace starling::upstream
