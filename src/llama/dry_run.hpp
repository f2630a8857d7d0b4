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

/// `slice`: a file with the header of the stage; its tensors may be holes, they are not read. Blocks for some tens of
/// milliseconds; any thread. Errors: errc::load_failed, those of gguf.
result<stage_memory> measure_stage(const std::filesystem::path& slice, stage_options options);

}  // namespace starling::llama
