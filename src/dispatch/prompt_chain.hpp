// A prompt as a chain of hashes, one for each beginning that a worker may still have in its cache: after each message
// of a conversation (with the model, its tools and settings before the first), after each block of a text or of tokens.
// Two requests with a link in common begin in the same way up to there. Pure.
#pragma once

#include "engine/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace starling::dispatch {

inline constexpr std::size_t characters_per_token = 4;  // of English text, roughly; only ratios matter here
inline constexpr std::size_t text_block = 256;          // characters
inline constexpr std::size_t token_block = 64;          // tokens: as much as a block of text
inline constexpr std::size_t max_links = 512;  // of one prompt, so that a book does not push out everything else

/// FNV-1a over pieces: hash.add("a").add("b") is not hash.add("ab"), except for add_more.
class running_hash {
  public:
    running_hash() = default;
    explicit running_hash(std::uint64_t begin) : value_(begin) {}

    running_hash& add_more(std::string_view text);
    running_hash& add(std::string_view text);
    running_hash& add(std::uint64_t number);
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325U;
};

struct prompt_link {
    std::uint64_t hash = 0;
    std::int32_t tokens = 0;  // up to here, estimated
};

struct prompt_chain {
    std::vector<prompt_link> links;
    std::int32_t tokens = 0;  // of the whole prompt, estimated
    bool conversation = false;
};

prompt_chain chain_of(std::string_view model, const engine::generate_request& request);

/// The link after the model's own answer, as the next turn of the conversation will have it. `text`: hash of its text.
std::uint64_t after_answer(std::uint64_t prompt, std::uint64_t text);

}  // namespace starling::dispatch
