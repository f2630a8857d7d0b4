// What the client has of an answer: the tokens another worker has to begin after, and what of its output would be a
// repetition. Pure.
//
// A chunk is text and the tokens that made it, so whoever continues after those tokens continues after that text. Two
// things are not bound to a token: what was held back until the answer ended by itself comes in a chunk without tokens,
// and is said again by a worker that finds the same end; and what is held back when max_tokens is reached comes with
// the last token, after which only `finished` is missing.
#pragma once

#include "dispatch/prompt_chain.hpp"
#include "engine/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace starling::dispatch {

class delivered_answer {
  public:
    /// `before`: tokens that were emitted before this call.
    delivered_answer(std::vector<engine::token_id> before, std::optional<std::int32_t> max_tokens);

    /// Another worker begins after tokens().
    void continue_elsewhere();

    /// Takes what is about to be given to the client, without what the client has already. False: nothing is left.
    bool take(engine::chunk& chunk);

    /// All of the answer, those before this call included.
    const std::vector<engine::token_id>& tokens() const { return tokens_; }

    /// The client has something of this call, so another worker cannot begin anew.
    bool anything() const { return anything_; }

    /// Every token is known by its id.
    bool known_by_token() const { return known_; }

    /// Hash of the text, for after_answer(); none when there is more to the answer than text.
    std::optional<std::uint64_t> text_hash() const;

  private:
    struct loose_end {
        std::size_t content = 0;  // bytes
        std::size_t reasoning = 0;
        std::size_t tool_calls = 0;  // pieces
    };

    bool take_loose_end(engine::chunk& chunk);

    std::vector<engine::token_id> tokens_;
    std::optional<std::int32_t> max_tokens_;
    loose_end given_;     // since the last token
    loose_end repeated_;  // of given_, what the worker of now has still to repeat
    bool continued_ = false;
    bool anything_ = false;
    bool known_ = true;
    bool only_text_ = true;
    running_hash text_;
};

}  // namespace starling::dispatch
