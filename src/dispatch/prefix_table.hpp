// Which workers have which beginnings of prompts in their caches, as far as this node sent them there: conversations
// stay where they are, because it is cheaper there. A guess, never a promise: caches forget without telling. Pure.
#pragma once

#include "base/node_id.hpp"
#include "dispatch/lru_map.hpp"
#include "dispatch/prompt_chain.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace starling::dispatch {

inline constexpr std::size_t max_prefixes = 8'192;       // about 2 MB
inline constexpr std::size_t max_holders_of_prefix = 4;  // a common system prompt is everywhere, and worth little

struct prefix_holder {
    node_id node;
    std::int32_t tokens = 0;  // of the prompt asked for, estimated
};

class prefix_table {
  public:
    explicit prefix_table(std::size_t capacity = max_prefixes) : prefixes_(capacity) {}

    /// The worker `at` has computed all of this prompt.
    void remember(const prompt_chain& prompt, const node_id& at);
    void remember(std::uint64_t link, const node_id& at);

    /// Each worker that has a beginning of this prompt, with the longest one that it has.
    std::vector<prefix_holder> holders(const prompt_chain& prompt);

    std::size_t size() const { return prefixes_.size(); }

  private:
    lru_map<std::uint64_t, std::vector<node_id>> prefixes_;  // the newest holder comes last
};

}  // namespace starling::dispatch
