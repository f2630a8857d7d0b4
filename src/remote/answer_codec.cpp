#include "base/node_id.hpp"
#include "remote/fields.hpp"
#include "remote/messages.hpp"
#include "wire/base64url.hpp"

#include <utility>

namespace starling::remote {

namespace {

using engine::errc;

constexpr names<engine::finish_reason, 3> reasons{{{engine::finish_reason::stop, "stop"},
                                                   {engine::finish_reason::length, "length"},
                                                   {engine::finish_reason::tool_calls, "tool_calls"}}};
constexpr names<errc, 11> codes{{{errc::internal, "internal"},
                                 {errc::invalid_request, "invalid_request"},
                                 {errc::prompt_too_long, "prompt_too_long"},
                                 {errc::queue_full, "queue_full"},
                                 {errc::overloaded, "overloaded"},
                                 {errc::loading, "loading"},
                                 {errc::unavailable, "unavailable"},
                                 {errc::unknown_model, "unknown_model"},
                                 {errc::unsupported, "unsupported"},
                                 {errc::deadline, "deadline"},
                                 {errc::upstream_error, "upstream_error"}}};

/// The text of a token may be a part of a character, which JSON cannot hold.
std::string packed(std::string_view bytes) {
    return wire::to_base64url({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string unpacked(std::string_view text) {
    const auto bytes = wire::from_base64url(text);
    return bytes ? std::string(bytes->begin(), bytes->end()) : std::string();
}

/// [id, text] or [id, text, logprob, [[id, text, logprob]…]].
json::value token_json(const engine::emitted_token& from) {
    json::array out{from.id, packed(from.bytes)};
    if (from.logprob) {
        out.push_back(*from.logprob);
        json::array others;
        for (const auto& other : from.alternatives) {
            others.push_back(json::array{other.id, packed(other.bytes), other.logprob});
        }
        out.push_back(std::move(others));
    }
    return out;
}

engine::emitted_token read_token(const json::value& from) {
    engine::emitted_token out;
    out.id = int_at(from, 0);
    out.bytes = unpacked(text_at(from, 1));
    const auto* list = from.if_array();
    if (list == nullptr || list->size() < 4) {
        return out;
    }
    out.logprob = float_at(from, 2);
    if (const auto* others = (*list)[3].if_array()) {
        for (const json::value& other : *others) {
            out.alternatives.push_back(
                {.id = int_at(other, 0), .bytes = unpacked(text_at(other, 1)), .logprob = float_at(other, 2)});
        }
    }
    return out;
}

json::object json_of(const started& from) {
    return {{"type", "inference_started"}, {"prompt_tokens", from.prompt_tokens}};
}

json::object json_of(const engine::chunk& from) {
    json::object out{{"type", "inference_delta"}};
    put_list(out, "tokens", from.tokens, token_json);
    put(out, "content", from.content);
    put(out, "reasoning", from.reasoning);
    put_list(out, "tool_calls", from.tool_calls, [](const engine::tool_call_delta& call) {
        return json::object{{"index", call.index}, {"id", call.id}, {"name", call.name}, {"arguments", call.arguments}};
    });
    if (from.replaced) {
        out["replaced"] = json::object{{"node", from.replaced->node}, {"cause", from.replaced->cause}};
    }
    return out;
}

std::shared_ptr<const engine::replacement> read_replacement(const json::value& from) {
    const auto node = string_member(from, "node");
    if (!parse_node_id(node)) {
        return nullptr;
    }
    return std::make_shared<const engine::replacement>(
        engine::replacement{.node = std::string(node), .cause = std::string(string_member(from, "cause"))});
}

engine::chunk read_chunk(const json::value& from) {
    engine::chunk out;
    out.tokens = read_list<engine::emitted_token>(from, "tokens", read_token);
    out.content = string_member(from, "content");
    out.reasoning = string_member(from, "reasoning");
    out.tool_calls = read_list<engine::tool_call_delta>(from, "tool_calls", [](const json::value& call) {
        return engine::tool_call_delta{.index = static_cast<std::size_t>(unsigned_member(call, "index")),
                                       .id = std::string(string_member(call, "id")),
                                       .name = std::string(string_member(call, "name")),
                                       .arguments = std::string(string_member(call, "arguments"))};
    });
    if (const auto* replaced = from.get_object().if_contains("replaced"); replaced != nullptr) {
        out.replaced = read_replacement(*replaced);
    }
    return out;
}

json::object json_of(const engine::finished& from) {
    return {{"type", "inference_result"},
            {"reason", name_of(reasons, from.reason)},
            {"prompt_tokens", from.usage.prompt_tokens},
            {"completion_tokens", from.usage.completion_tokens},
            {"cached_tokens", from.usage.cached_tokens},
            {"queue_ms", from.timing.queue_ms},
            {"prefill_ms", from.timing.prefill_ms},
            {"decode_ms", from.timing.decode_ms}};
}

engine::finished read_finished(const json::value& from) {
    engine::finished out;
    out.reason = value_of(reasons, string_member(from, "reason"), engine::finish_reason::stop);
    out.usage = {.prompt_tokens = wire::count_member(from, "prompt_tokens"),
                 .completion_tokens = wire::count_member(from, "completion_tokens"),
                 .cached_tokens = wire::count_member(from, "cached_tokens")};
    out.timing = {.queue_ms = wire::number_member(from, "queue_ms").value_or(0.0),
                  .prefill_ms = wire::number_member(from, "prefill_ms").value_or(0.0),
                  .decode_ms = wire::number_member(from, "decode_ms").value_or(0.0)};
    return out;
}

json::object json_of(const engine::embedding_result& from) {
    json::object out{{"type", "embed_result"}, {"prompt_tokens", from.prompt_tokens}};
    put_list(out, "vectors", from.vectors,
             [](const std::vector<float>& one) { return json::array(one.begin(), one.end()); });
    return out;
}

engine::embedding_result read_embeddings(const json::value& from) {
    engine::embedding_result out;
    out.prompt_tokens = wire::count_member(from, "prompt_tokens");
    out.vectors = read_list<std::vector<float>>(from, "vectors", [](const json::value& list) {
        std::vector<float> one;
        const auto* numbers = list.if_array();
        for (std::size_t i = 0; numbers != nullptr && i < numbers->size(); ++i) {
            one.push_back(float_at(list, i));
        }
        return one;
    });
    return out;
}

/// Only the engine's errors have a name here; any other is internal, and its message stays on this node.
json::object json_of(const refused& from) {
    for (const auto& [code, name] : codes) {
        if (code != errc::internal && from.why == code) {
            return {{"type", "inference_error"}, {"code", name}, {"message", from.why.message}};
        }
    }
    return {{"type", "inference_error"},
            {"code", name_of(codes, errc::internal)},
            {"message", "The node that has the model failed; its log has the reason."}};
}

refused read_refusal(const json::value& from) {
    return {fail(value_of(codes, string_member(from, "code"), errc::internal),
                 std::string(string_member(from, "message")))};
}

}  // namespace

std::string to_json(const answer& from) {
    return json::serialize(std::visit([](const auto& what) { return json_of(what); }, from));
}

result<answer> parse_answer(std::string_view text) {
    const auto from = parse_object(text);
    if (!from) {
        return from.error();
    }
    const auto type = string_member(*from, "type");
    if (type == "inference_delta") {
        return answer(read_chunk(*from));
    }
    if (type == "inference_started") {
        return answer(started{.prompt_tokens = wire::count_member(*from, "prompt_tokens")});
    }
    if (type == "inference_result") {
        return answer(read_finished(*from));
    }
    if (type == "embed_result") {
        return answer(read_embeddings(*from));
    }
    if (type == "inference_error") {
        return answer(read_refusal(*from));
    }
    return fail(wire::errc::unsupported, "Another node sent an answer of a type that is not known here.");
}

}  // namespace starling::remote
