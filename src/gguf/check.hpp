// The parts of `check_model`. Each refuses what would make llama.cpp v0.5.0 abort, loop or run out of memory.
#pragma once

#include "gguf/gguf.hpp"

namespace starling::gguf {

/// Kind of file, tensors, layer and head counts, experts, rotary embedding.
result<void> check_hyperparameters(const file_header& header);

/// Vocabulary, scores, token types, merges, special tokens, chat template.
result<void> check_tokenizer(const file_header& header);

/// The most layers that llama.cpp has room for (LLAMA_MAX_LAYERS).
inline constexpr std::int64_t max_layers = 512;
/// LLAMA_MAX_EXPERTS.
inline constexpr std::int64_t max_experts = 1024;
/// Four million tokens are fifteen times the largest vocabulary today.
inline constexpr std::int64_t max_vocabulary = 1 << 22;

}  // namespace starling::gguf
