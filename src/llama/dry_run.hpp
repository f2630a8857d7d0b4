// What a stage will take, found out by setting it up without its memory: llama.cpp lays the graph out and counts.
#pragma once

#include "base/result.hpp"
#include "llama/errc.hpp"
#include "llama/stage.hpp"

#include <cstdint>
#include <filesystem>

namespace starling::llama {

struct stage_memory {
    std::uint64_t cache_bytes = 0;    // KV cache and states of all sequences
    std::uint64_t compute_bytes = 0;  // what a step needs on its way through the layers, and the logits that come out
};

/// Tokens of all sequences together. Whatever a cache would take, what llama.cpp notes of each of its cells is there
/// even while it is measured, some 50 bytes: more than this, and finding out costs a machine its memory.
inline constexpr std::int64_t max_measured_tokens = std::int64_t{1} << 24;

/// `slice`: a file with the header of the stage; its tensors may be holes, they are not read. Blocks for some tens of
/// milliseconds; any thread. Errors: errc::load_failed, also for more than max_measured_tokens; those of gguf.
result<stage_memory> measure_stage(const std::filesystem::path& slice, stage_options options);

}  // namespace starling::llama
