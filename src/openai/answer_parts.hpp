// Pieces that whole answers and stream chunks share. Private to openai.
#pragma once

#include "engine/types.hpp"
#include "openai/answer.hpp"

#include <span>
#include <string>
#include <string_view>

namespace starling::openai {

/// {"id":…,"object":…,"created":…,"model":…,"choices":[
void append_head(std::string& out, const answer_identity& identity, std::string_view object);

/// {"prompt_tokens":…,"completion_tokens":…,"total_tokens":…,"prompt_tokens_details":{"cached_tokens":…}}
void append_usage(std::string& out, const engine::token_usage& usage);

/// {"content":[{"token","logprob","bytes","top_logprobs"}],"refusal":null}, of chat answers.
void append_chat_logprobs(std::string& out, std::span<const engine::emitted_token> tokens);

/// {"tokens","token_logprobs","top_logprobs","text_offset"}, of plain completions. `offset`: of the first token in the
/// answer's text, in bytes; gives the offset after the last.
std::size_t append_completion_logprobs(std::string& out, std::span<const engine::emitted_token> tokens,
                                       std::size_t offset);

}  // namespace starling::openai
