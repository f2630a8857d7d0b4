// llama.cpp as a generator: the only library that includes llama.h, and this is its whole face.
//
// A loaded engine is a pipeline of stages with a scheduler in front. The scheduler runs on a thread of its own and owns
// slots, KV cache and samplers; requests reach it through a bounded queue, tokens leave it through bounded channels.
// Called by: node (to load), api (through engine::generator).
#pragma once

#include "engine/engine.hpp"
#include "llama/errc.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace starling::llama {

struct engine_options {
    std::string id;                 // as clients name it
    std::filesystem::path path;     // a GGUF file
    std::filesystem::path draft;    // one of a small model with the same vocabulary, that drafts; empty: none
    std::int32_t context = 0;       // tokens that one request may use, prompt and answer; 0: chosen from the model
    std::int32_t slots = 0;         // requests answered at the same time; 0: automatic
    std::int32_t threads = 0;       // 0: one for each physical core
    std::int32_t gpu_layers = -1;   // layers to keep on GPUs: -1 as many as fit, 0 none
    std::int32_t queue_limit = 64;  // requests that may wait for a slot; more are refused
};

/// Called on the loading thread with a fraction in [0, 1]; false gives the load up.
using load_progress = std::function<bool(float fraction)>;

enum class log_level { debug, info, warning, error };
using log_sink = std::function<void(log_level, std::string)>;

/// Loads a model and starts its engine thread. Blocks for as long as the load takes. Destroying the generator ends
/// every stream with errc::unavailable and waits for the thread.
result<std::shared_ptr<engine::generator>> load_engine(engine_options options, load_progress progress = {},
                                                       log_sink log = {});

struct device_info {
    std::string name;
    std::string description;
    std::string kind;  // cpu, gpu, igpu, accelerator
    std::uint64_t memory_total = 0;
    std::uint64_t memory_free = 0;
};

/// What ggml's device registry found on this machine.
std::vector<device_info> devices();

/// Of the llama.cpp that is linked: "v0.5.0"; with a source tree of one's own, the version of its ggml.
std::string version();

/// Instruction sets that the CPU backend was built for and found, for `doctor`.
std::string system_info();

}  // namespace starling::llama
