// An answer as it grows: tokens in, chunks for the client out. A function of the tokens so far, so that an answer
// begun by one engine and continued by another reads the same.
#pragma once

#include "engine/text_gate.hpp"
#include "llama/chat_format.hpp"

#include <string>
#include <vector>

namespace starling::llama {

class answer {
  public:
    answer(std::shared_ptr<const model> model, answer_format format, std::vector<std::string> stop,
           std::string call_seed);

    /// Takes the next token and adds what may be shown to `out`. False when a stop string ended the answer.
    bool push(engine::token_id token, engine::chunk& out);

    /// Nothing more will come: adds what was held back.
    void finish(engine::chunk& out);

    const answer_format& format() const { return format_; }
    bool has_tool_calls() const { return parser_.has_tool_calls(); }

  private:
    std::shared_ptr<const model> model_;
    answer_format format_;
    engine::text_gate gate_;
    answer_parser parser_;
};

}  // namespace starling::llama
