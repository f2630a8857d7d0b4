#include "sdk/answer_builder.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace starling::sdk {

namespace {

finish_reason from_engine(engine::finish_reason reason) {
    switch (reason) {
        case engine::finish_reason::stop: return finish_reason::stop;
        case engine::finish_reason::length: return finish_reason::length;
        case engine::finish_reason::tool_calls: return finish_reason::tool_calls;
    }
    return finish_reason::stop;
}

}  // namespace

std::optional<delta> answer_builder::take(engine::chunk chunk) {
    delta out;
    out.text = std::move(chunk.content);
    out.reasoning = std::move(chunk.reasoning);
    for (engine::tool_call_delta& piece : chunk.tool_calls) {
        out.tool_calls.push_back({.index = piece.index,
                                  .id = std::move(piece.id),
                                  .name = std::move(piece.name),
                                  .arguments = std::move(piece.arguments)});
        add(out.tool_calls.back());
    }
    answer_.text += out.text;
    answer_.reasoning += out.reasoning;
    answer_.usage.completion_tokens += static_cast<std::int32_t>(chunk.tokens.size());
    if (out.text.empty() && out.reasoning.empty() && out.tool_calls.empty()) {
        return std::nullopt;
    }
    return out;
}

void answer_builder::add(const tool_call_delta& piece) {
    auto found = std::find(indices_.begin(), indices_.end(), piece.index);
    if (found == indices_.end()) {
        found = indices_.insert(found, piece.index);
        answer_.tool_calls.emplace_back();
    }
    tool_call& call = answer_.tool_calls[static_cast<std::size_t>(std::distance(indices_.begin(), found))];
    call.id += piece.id;
    call.name += piece.name;
    call.arguments += piece.arguments;
}

void answer_builder::finish(const engine::finished& end) {
    answer_.finish_reason = from_engine(end.reason);
    answer_.usage = {.prompt_tokens = end.usage.prompt_tokens,
                     .completion_tokens = end.usage.completion_tokens,
                     .cached_tokens = end.usage.cached_tokens};
}

}  // namespace starling::sdk
