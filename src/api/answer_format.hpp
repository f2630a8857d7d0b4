// The two shapes of a generated answer, so that chat and plain completions are run by the same code. Private to api.
#pragma once

#include "engine/types.hpp"
#include "openai/answer.hpp"
#include "openai/sse.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace starling::api {

class answer_format {
  public:
    answer_format() = default;
    answer_format(const answer_format&) = delete;
    answer_format& operator=(const answer_format&) = delete;
    virtual ~answer_format() = default;

    /// These append events of a stream.
    virtual void open(std::string& out, std::size_t choice) = 0;
    virtual void add(std::string& out, std::size_t choice, const engine::chunk& chunk) = 0;
    virtual void close(std::string& out, std::size_t choice, engine::finish_reason reason) = 0;
    virtual void moved(std::string& out, std::size_t choice, const openai::move_notice& what) = 0;
    virtual void usage(std::string& out, const engine::token_usage& usage) = 0;

    /// The answer in one piece.
    virtual std::string whole(std::vector<openai::choice_answer> choices, const engine::token_usage& usage) = 0;
};

std::unique_ptr<answer_format> make_chat_format(openai::answer_identity identity, openai::stream_options options,
                                                bool logprobs);

/// `echoes`: the text that each choice begins with; empty where `echo` was not asked for.
std::unique_ptr<answer_format> make_completion_format(openai::answer_identity identity, openai::stream_options options,
                                                      bool logprobs, std::size_t choices,
                                                      std::vector<std::string> echoes);

}  // namespace starling::api
