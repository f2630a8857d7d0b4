#include "upstream/logprobs_codec.hpp"

#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>

namespace starling::upstream {

namespace json = boost::json;
using wire::array_member;
using wire::count_member;
using wire::number_member;
using wire::string_member;

namespace {

/// The exact bytes where the server sends them (a token can be half a character), else the text.
std::string bytes_of(const json::value& token) {
    const json::array* bytes = array_member(token, "bytes");
    if (bytes == nullptr) {
        return std::string(string_member(token, "token"));
    }
    std::string out;
    for (const json::value& byte : *bytes) {
        const std::int64_t* number = byte.if_int64();
        if (number == nullptr || *number < 0 || *number > 0xFF) {
            return std::string(string_member(token, "token"));
        }
        out.push_back(static_cast<char>(*number));
    }
    return out;
}

engine::token_id id_of(const json::value& token) {
    return number_member(token, "id") ? count_member(token, "id") : engine::no_token;
}

std::optional<float> logprob_of(const json::value& token) {
    const auto value = number_member(token, "logprob");
    return value ? std::optional<float>(static_cast<float>(*value)) : std::nullopt;
}

std::vector<engine::emitted_token> chat_form(const json::array& content) {
    std::vector<engine::emitted_token> out;
    for (const json::value& token : content) {
        engine::emitted_token emitted{
            .id = id_of(token), .bytes = bytes_of(token), .logprob = logprob_of(token), .alternatives = {}};
        if (const json::array* top = array_member(token, "top_logprobs")) {
            for (const json::value& other : *top) {
                emitted.alternatives.push_back(
                    {.id = id_of(other), .bytes = bytes_of(other), .logprob = logprob_of(other).value_or(0.0F)});
            }
        }
        out.push_back(std::move(emitted));
    }
    return out;
}

void add_alternatives(const json::value& top, engine::emitted_token& emitted) {
    const json::object* tokens = top.if_object();
    if (tokens == nullptr) {
        return;
    }
    for (const auto& [text, value] : *tokens) {
        if (value.is_number()) {
            emitted.alternatives.push_back({.id = engine::no_token,
                                            .bytes = std::string(text),
                                            .logprob = static_cast<float>(value.to_number<double>())});
        }
    }
}

std::vector<engine::emitted_token> text_form(const json::value& logprobs, const json::array& tokens) {
    const json::array* values = array_member(logprobs, "token_logprobs");
    const json::array* top = array_member(logprobs, "top_logprobs");
    std::vector<engine::emitted_token> out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const json::string* text = tokens[i].if_string();
        engine::emitted_token emitted;
        emitted.bytes = text == nullptr ? std::string{} : std::string(text->data(), text->size());
        if (values != nullptr && i < values->size() && (*values)[i].is_number()) {
            emitted.logprob = static_cast<float>((*values)[i].to_number<double>());
        }
        if (top != nullptr && i < top->size()) {
            add_alternatives((*top)[i], emitted);
        }
        out.push_back(std::move(emitted));
    }
    return out;
}

}  // namespace

std::vector<engine::emitted_token> parse_logprobs(const json::value& logprobs) {
    if (const json::array* content = array_member(logprobs, "content")) {
        return chat_form(*content);
    }
    if (const json::array* tokens = array_member(logprobs, "tokens")) {
        return text_form(logprobs, *tokens);
    }
    return {};
}

}  // namespace starling::upstream
