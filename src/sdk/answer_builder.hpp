// Chunks of the engine -> pieces for the reader, and the answer that they add up to. Pure.
#pragma once

#include "engine/types.hpp"

#include <starling/chat.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace starling::sdk {

class answer_builder {
  public:
    /// The piece of it that a reader sees; nothing when the chunk shows nothing yet.
    std::optional<delta> take(engine::chunk chunk);
    void finish(const engine::finished& end);

    /// As far as it has come. Tokens are counted as they came, until finish() knows them.
    const answer& so_far() const { return answer_; }

  private:
    void add(const tool_call_delta& piece);

    answer answer_;
    std::vector<std::size_t> indices_;  // of answer_.tool_calls: a server may number them as it likes
};

}  // namespace starling::sdk
