// Whole answers as OpenAI clients expect them: chat.completion, text_completion, embeddings and model lists. Pure.
#pragma once

#include "engine/types.hpp"
#include "openai/request.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::openai {

/// What every object of one answer begins with.
struct answer_identity {
    std::string id;              // "chatcmpl-…", "cmpl-…"
    std::string model;           // that answered
    std::int64_t created_s = 0;  // Unix time
};

/// One choice, put together from the chunks of its stream.
struct choice_answer {
    std::string content;
    std::string reasoning;
    std::vector<engine::tool_call> tool_calls;
    std::vector<engine::emitted_token> tokens;  // kept where logprobs were asked for
    engine::finish_reason reason = engine::finish_reason::stop;

    void add(engine::chunk chunk, bool keep_tokens);
};

std::string_view to_string(engine::finish_reason reason);

std::string chat_answer(const answer_identity& identity, std::span<const choice_answer> choices,
                        const engine::token_usage& usage, bool logprobs);

std::string completion_answer(const answer_identity& identity, std::span<const choice_answer> choices,
                              const engine::token_usage& usage, bool logprobs);

std::string embeddings_answer(std::string_view model, const engine::embedding_result& result,
                              embedding_encoding encoding);

struct listed_model {
    std::string id;
    std::int64_t created_s = 0;
    engine::model_info info;  // all zero while it loads
};

std::string model_answer(const listed_model& model);
std::string model_list_answer(std::span<const listed_model> models);

}  // namespace starling::openai
