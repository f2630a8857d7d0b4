#include "openai/answer.hpp"

#include "openai/answer_parts.hpp"
#include "openai/json_text.hpp"

namespace starling::openai {

namespace {

void append_tail(std::string& out, const engine::token_usage& usage) {
    out += R"(],"usage":)";
    append_usage(out, usage);
    out += '}';
}

void append_tool_calls(std::string& out, std::span<const engine::tool_call> calls) {
    out += R"(,"tool_calls":[)";
    for (std::size_t i = 0; i < calls.size(); ++i) {
        out += i == 0 ? R"({"id":)" : R"(,{"id":)";
        append_json_string(out, calls[i].id);
        out += R"(,"type":"function","function":{"name":)";
        append_json_string(out, calls[i].name);
        out += R"(,"arguments":)";
        append_json_string(out, calls[i].arguments);
        out += "}}";
    }
    out += ']';
}

void append_message(std::string& out, const choice_answer& choice) {
    out += R"({"role":"assistant","content":)";
    if (choice.content.empty() && !choice.tool_calls.empty()) {
        out += "null";
    } else {
        append_json_string(out, choice.content);
    }
    out += R"(,"refusal":null)";
    if (!choice.reasoning.empty()) {
        out += R"(,"reasoning_content":)";
        append_json_string(out, choice.reasoning);
    }
    if (!choice.tool_calls.empty()) {
        append_tool_calls(out, choice.tool_calls);
    }
    out += '}';
}

}  // namespace

void choice_answer::add(engine::chunk chunk, bool keep_tokens) {
    content += chunk.content;
    reasoning += chunk.reasoning;
    for (auto& delta : chunk.tool_calls) {
        if (delta.index >= tool_calls.size()) {
            tool_calls.resize(delta.index + 1);
        }
        auto& call = tool_calls[delta.index];
        call.id += delta.id;
        call.name += delta.name;
        call.arguments += delta.arguments;
    }
    if (keep_tokens) {
        std::move(chunk.tokens.begin(), chunk.tokens.end(), std::back_inserter(tokens));
    }
}

std::string_view to_string(engine::finish_reason reason) {
    switch (reason) {
        case engine::finish_reason::stop: return "stop";
        case engine::finish_reason::length: return "length";
        case engine::finish_reason::tool_calls: return "tool_calls";
    }
    return "stop";
}

std::string chat_answer(const answer_identity& identity, std::span<const choice_answer> choices,
                        const engine::token_usage& usage, bool logprobs) {
    std::string out;
    append_head(out, identity, "chat.completion");
    for (std::size_t i = 0; i < choices.size(); ++i) {
        out += i == 0 ? R"({"index":)" : R"(,{"index":)";
        append_json_int(out, static_cast<std::int64_t>(i));
        out += R"(,"message":)";
        append_message(out, choices[i]);
        out += R"(,"logprobs":)";
        if (logprobs) {
            append_chat_logprobs(out, choices[i].tokens);
        } else {
            out += "null";
        }
        out += R"(,"finish_reason":)";
        append_json_string(out, to_string(choices[i].reason));
        out += '}';
    }
    append_tail(out, usage);
    return out;
}

std::string completion_answer(const answer_identity& identity, std::span<const choice_answer> choices,
                              const engine::token_usage& usage, bool logprobs) {
    std::string out;
    append_head(out, identity, "text_completion");
    for (std::size_t i = 0; i < choices.size(); ++i) {
        out += i == 0 ? R"({"text":)" : R"(,{"text":)";
        append_json_string(out, choices[i].content);
        out += R"(,"index":)";
        append_json_int(out, static_cast<std::int64_t>(i));
        out += R"(,"logprobs":)";
        if (logprobs) {
            append_completion_logprobs(out, choices[i].tokens, 0);
        } else {
            out += "null";
        }
        out += R"(,"finish_reason":)";
        append_json_string(out, to_string(choices[i].reason));
        out += '}';
    }
    append_tail(out, usage);
    return out;
}

}  // namespace starling::openai
