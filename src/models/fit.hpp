// How much memory a model takes, and whether there is enough. Pure.
#pragma once

#include "base/result.hpp"
#include "gguf/gguf.hpp"

#include <cstdint>
#include <string>

namespace starling::models {

/// Context that an estimate assumes where nobody says one: enough for a conversation.
inline constexpr std::int64_t assumed_context = 4096;

struct memory_estimate {
    std::uint64_t weights_bytes = 0;
    std::uint64_t kv_bytes = 0;    // keys and values in f16, for all slots
    std::uint64_t work_bytes = 0;  // what a batch of tokens needs on its way through the layers
    std::int64_t context = 0;      // tokens of one slot that were counted
    std::int64_t slots = 0;

    std::uint64_t total_bytes() const { return weights_bytes + kv_bytes + work_bytes; }
};

/// `context` tokens for each of `slots` requests; 0: what the model was trained for, at most `assumed_context`.
memory_estimate estimate(const gguf::file_header& header, std::int64_t context, std::int64_t slots);

/// errc::too_large with the numbers when it takes more than `memory_bytes`. `model` names it in the message.
result<void> check_fit(const memory_estimate& needed, std::uint64_t memory_bytes, std::string_view model);

}  // namespace starling::models
