#include "openai/sse.hpp"

#include "openai/answer_parts.hpp"
#include "openai/error_body.hpp"
#include "openai/json_text.hpp"

namespace starling::openai {

namespace {

constexpr std::string_view plain_tail = "]}\n\n";
constexpr std::string_view usage_follows_tail = "],\"usage\":null}\n\n";

std::string stream_head(const answer_identity& identity, std::string_view object) {
    std::string head = "data: ";
    append_head(head, identity, object);
    return head;
}

void append_usage_event(std::string& out, std::string_view head, const engine::token_usage& usage) {
    out += head;
    out += R"(],"usage":)";
    append_usage(out, usage);
    out += "}\n\n";
}

void append_tool_deltas(std::string& out, const std::vector<engine::tool_call_delta>& deltas) {
    out += R"("tool_calls":[)";
    for (std::size_t i = 0; i < deltas.size(); ++i) {
        const auto& delta = deltas[i];
        out += i == 0 ? R"({"index":)" : R"(,{"index":)";
        append_json_int(out, static_cast<std::int64_t>(delta.index));
        if (!delta.id.empty()) {
            out += R"(,"id":)";
            append_json_string(out, delta.id);
        }
        if (!delta.id.empty() || !delta.name.empty()) {
            out += R"(,"type":"function")";
        }
        out += R"(,"function":{)";
        if (!delta.name.empty()) {
            out += R"("name":)";
            append_json_string(out, delta.name);
            out += ',';
        }
        out += R"("arguments":)";
        append_json_string(out, delta.arguments);
        out += "}}";
    }
    out += ']';
}

void append_delta(std::string& out, const engine::chunk& chunk) {
    bool first = true;
    const auto separate = [&] {
        out += first ? "" : ",";
        first = false;
    };
    if (!chunk.reasoning.empty()) {
        separate();
        out += R"("reasoning_content":)";
        append_json_string(out, chunk.reasoning);
    }
    if (!chunk.tool_calls.empty()) {
        separate();
        append_tool_deltas(out, chunk.tool_calls);
    }
    if (!chunk.content.empty()) {
        separate();
        out += R"("content":)";
        append_json_string(out, chunk.content);
    }
}

bool has_text(const engine::chunk& chunk) {
    return !chunk.content.empty() || !chunk.reasoning.empty() || !chunk.tool_calls.empty();
}

}  // namespace

chat_chunks::chat_chunks(const answer_identity& identity, stream_options options, bool logprobs)
    : head_(stream_head(identity, "chat.completion.chunk")),
      tail_(options.include_usage ? usage_follows_tail : plain_tail),
      include_usage_(options.include_usage),
      logprobs_(logprobs) {}

void chat_chunks::begin_event(std::string& out, std::size_t index) const {
    out += head_;
    out += R"({"index":)";
    append_json_int(out, static_cast<std::int64_t>(index));
    out += R"(,"delta":{)";
}

void chat_chunks::open(std::string& out, std::size_t index) const {
    begin_event(out, index);
    out += R"("role":"assistant","content":""},"logprobs":null,"finish_reason":null})";
    out += tail_;
}

void chat_chunks::add(std::string& out, std::size_t index, const engine::chunk& chunk) const {
    const bool tell_tokens = logprobs_ && !chunk.tokens.empty();
    if (!has_text(chunk) && !tell_tokens) {
        return;
    }
    begin_event(out, index);
    append_delta(out, chunk);
    out += R"(},"logprobs":)";
    if (tell_tokens) {
        append_chat_logprobs(out, chunk.tokens);
    } else {
        out += "null";
    }
    out += R"(,"finish_reason":null})";
    out += tail_;
}

void chat_chunks::close(std::string& out, std::size_t index, engine::finish_reason reason) const {
    begin_event(out, index);
    out += R"(},"logprobs":null,"finish_reason":)";
    append_json_string(out, to_string(reason));
    out += '}';
    out += tail_;
}

void chat_chunks::moved(std::string& out, std::size_t index, const move_notice& what) const {
    begin_event(out, index);
    out += R"(},"finish_reason":null}],"starling":{"moved_to":{"node_id":)";
    append_json_string(out, what.node_id);
    out += R"(,"name":)";
    append_json_string(out, what.name);
    out += R"(},"cause":)";
    append_json_string(out, what.cause);
    out += '}';
    out += tail_.substr(1);  // the array is closed already
}

void chat_chunks::usage(std::string& out, const engine::token_usage& usage) const {
    if (include_usage_) {
        append_usage_event(out, head_, usage);
    }
}

completion_chunks::completion_chunks(const answer_identity& identity, stream_options options, bool logprobs,
                                     std::size_t choices)
    : head_(stream_head(identity, "text_completion")),
      tail_(options.include_usage ? usage_follows_tail : plain_tail),
      include_usage_(options.include_usage),
      logprobs_(logprobs),
      text_offsets_(choices, 0) {}

void completion_chunks::echo(std::string& out, std::size_t index, std::string_view text) const {
    out += head_;
    out += R"({"text":)";
    append_json_string(out, text);
    out += R"(,"index":)";
    append_json_int(out, static_cast<std::int64_t>(index));
    out += R"(,"logprobs":null,"finish_reason":null})";
    out += tail_;
}

void completion_chunks::add(std::string& out, std::size_t index, const engine::chunk& chunk) {
    const bool tell_tokens = logprobs_ && !chunk.tokens.empty();
    if (chunk.content.empty() && !tell_tokens) {
        return;
    }
    out += head_;
    out += R"({"text":)";
    append_json_string(out, chunk.content);
    out += R"(,"index":)";
    append_json_int(out, static_cast<std::int64_t>(index));
    out += R"(,"logprobs":)";
    if (tell_tokens) {
        text_offsets_.at(index) = append_completion_logprobs(out, chunk.tokens, text_offsets_.at(index));
    } else {
        out += "null";
    }
    out += R"(,"finish_reason":null})";
    out += tail_;
}

void completion_chunks::close(std::string& out, std::size_t index, engine::finish_reason reason) const {
    out += head_;
    out += R"({"text":"","index":)";
    append_json_int(out, static_cast<std::int64_t>(index));
    out += R"(,"logprobs":null,"finish_reason":)";
    append_json_string(out, to_string(reason));
    out += '}';
    out += tail_;
}

void completion_chunks::usage(std::string& out, const engine::token_usage& usage) const {
    if (include_usage_) {
        append_usage_event(out, head_, usage);
    }
}

std::string sse_error(const error& why) {
    return "data: " + error_body(why) + "\n\n";
}

}  // namespace starling::openai
