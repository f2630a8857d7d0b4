#include "dispatch/delivered_answer.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace starling::dispatch {

namespace {

void drop_front(std::string& text, std::size_t& repeated) {
    const auto drop = std::min(text.size(), repeated);
    text.erase(0, drop);
    repeated -= drop;
}

void drop_front(std::vector<engine::tool_call_delta>& pieces, std::size_t& repeated) {
    const auto drop = std::min(pieces.size(), repeated);
    pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(drop));
    repeated -= drop;
}

}  // namespace

delivered_answer::delivered_answer(std::vector<engine::token_id> before, std::optional<std::int32_t> max_tokens)
    : tokens_(std::move(before)), max_tokens_(max_tokens), only_text_(tokens_.empty()) {}

void delivered_answer::continue_elsewhere() {
    continued_ = true;
    repeated_ = given_;
}

bool delivered_answer::take(engine::chunk& chunk) {
    if (chunk.tokens.empty()) {
        if (!take_loose_end(chunk)) {
            return false;
        }
    } else {
        given_ = {};
        repeated_ = {};
        for (const engine::emitted_token& token : chunk.tokens) {
            known_ = known_ && token.id != engine::no_token;
            tokens_.push_back(token.id);
        }
    }
    anything_ = true;
    only_text_ = only_text_ && chunk.tool_calls.empty();
    text_.add_more(chunk.content);
    return true;
}

bool delivered_answer::take_loose_end(engine::chunk& chunk) {
    if (continued_ && max_tokens_ && static_cast<std::int64_t>(tokens_.size()) >= *max_tokens_) {
        return false;
    }
    drop_front(chunk.content, repeated_.content);
    drop_front(chunk.reasoning, repeated_.reasoning);
    drop_front(chunk.tool_calls, repeated_.tool_calls);
    given_.content += chunk.content.size();
    given_.reasoning += chunk.reasoning.size();
    given_.tool_calls += chunk.tool_calls.size();
    return !chunk.content.empty() || !chunk.reasoning.empty() || !chunk.tool_calls.empty();
}

std::optional<std::uint64_t> delivered_answer::text_hash() const {
    return only_text_ ? std::optional(text_.value()) : std::nullopt;
}

}  // namespace starling::dispatch
