#include "openai/answer_parts.hpp"

#include "openai/json_text.hpp"

namespace starling::openai {

namespace {

// What the OpenAI API writes for a token that has no probability to speak of: JSON has no infinity.
constexpr float impossible_logprob = -9999.0F;

void append_logprob(std::string& out, float logprob) {
    append_json_float(out, logprob > impossible_logprob ? logprob : impossible_logprob);
}

void append_token(std::string& out, std::string_view bytes, float logprob) {
    out += R"({"token":)";
    append_json_string(out, bytes);
    out += R"(,"logprob":)";
    append_logprob(out, logprob);
    out += R"(,"bytes":)";
    append_json_bytes(out, bytes);
}

}  // namespace

void append_head(std::string& out, const answer_identity& identity, std::string_view object) {
    out += R"({"id":)";
    append_json_string(out, identity.id);
    out += R"(,"object":)";
    append_json_string(out, object);
    out += R"(,"created":)";
    append_json_int(out, identity.created_s);
    out += R"(,"model":)";
    append_json_string(out, identity.model);
    out += R"(,"choices":[)";
}

void append_usage(std::string& out, const engine::token_usage& usage) {
    out += R"({"prompt_tokens":)";
    append_json_int(out, usage.prompt_tokens);
    out += R"(,"completion_tokens":)";
    append_json_int(out, usage.completion_tokens);
    out += R"(,"total_tokens":)";
    append_json_int(out, static_cast<std::int64_t>(usage.prompt_tokens) + usage.completion_tokens);
    out += R"(,"prompt_tokens_details":{"cached_tokens":)";
    append_json_int(out, usage.cached_tokens);
    out += "}}";
}

void append_chat_logprobs(std::string& out, std::span<const engine::emitted_token> tokens) {
    out += R"({"content":[)";
    bool first = true;
    for (const auto& token : tokens) {
        out += first ? "" : ",";
        first = false;
        append_token(out, token.bytes, token.logprob.value_or(impossible_logprob));
        out += R"(,"top_logprobs":[)";
        for (std::size_t i = 0; i < token.alternatives.size(); ++i) {
            out += i == 0 ? "" : ",";
            append_token(out, token.alternatives[i].bytes, token.alternatives[i].logprob);
            out += '}';
        }
        out += "]}";
    }
    out += R"(],"refusal":null})";
}

std::size_t append_completion_logprobs(std::string& out, std::span<const engine::emitted_token> tokens,
                                       std::size_t offset) {
    std::string texts;
    std::string logprobs;
    std::string alternatives;
    std::string offsets;
    for (const auto& token : tokens) {
        const std::string_view comma = texts.empty() ? "" : ",";
        texts += comma;
        append_json_string(texts, token.bytes);
        logprobs += comma;
        append_logprob(logprobs, token.logprob.value_or(impossible_logprob));
        offsets += comma;
        append_json_int(offsets, static_cast<std::int64_t>(offset));
        offset += token.bytes.size();
        alternatives += comma;
        alternatives += '{';
        for (std::size_t i = 0; i < token.alternatives.size(); ++i) {
            alternatives += i == 0 ? "" : ",";
            append_json_string(alternatives, token.alternatives[i].bytes);
            alternatives += ':';
            append_logprob(alternatives, token.alternatives[i].logprob);
        }
        alternatives += '}';
    }
    out += R"({"tokens":[)" + texts + R"(],"token_logprobs":[)" + logprobs + R"(],"top_logprobs":[)" + alternatives +
           R"(],"text_offset":[)" + offsets + "]}";
    return offset;
}

}  // namespace starling::openai
