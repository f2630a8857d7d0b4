// llama.cpp's stages as the pipeline sees them.
#pragma once

#include "llama/stage.hpp"
#include "pipeline/final_stage.hpp"
#include "pipeline/stage_engine.hpp"

#include <memory>

namespace starling::pipeline {

/// A slice for another node. `sequences` as the stage was created with; `memory_bytes` as it was measured.
std::unique_ptr<stage_engine> make_stage_engine(std::unique_ptr<llama::stage> stage, layer_range layers,
                                                std::int32_t sequences, std::uint64_t memory_bytes);

/// The slice with the output head. `layers`: how many it has.
std::unique_ptr<final_stage> make_final_stage(std::unique_ptr<llama::stage> stage, std::int32_t layers,
                                              std::int32_t sequences);

}  // namespace starling::pipeline
