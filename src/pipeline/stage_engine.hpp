// What computes a stage: llama.cpp in the product, arithmetic in tests.
//
// Owner: a stage_worker, whose thread alone calls run() and clear(). Between two workers it may change threads.
#pragma once

#include "base/result.hpp"
#include "llama/step.hpp"
#include "pipeline/types.hpp"

#include <span>
#include <vector>

namespace starling::pipeline {

class stage_engine {
  public:
    stage_engine() = default;
    stage_engine(const stage_engine&) = delete;
    stage_engine& operator=(const stage_engine&) = delete;
    virtual ~stage_engine() = default;

    virtual layer_range layers() const = 0;

    /// Numbers in one activation.
    virtual std::int32_t width() const = 0;

    virtual std::uint64_t memory_bytes() const = 0;

    /// Carries out the edits and runs the tokens through the layers. `in` is [tokens, width], empty for the first
    /// stage; `out` becomes the same shape.
    virtual result<void> run(const llama::step& step, std::span<const float> in, std::vector<float>* out) = 0;

    /// Forgets every sequence.
    virtual result<void> clear() = 0;

    /// The running step, and every later one, ends early with an error. Any thread.
    virtual void interrupt() = 0;
};

}  // namespace starling::pipeline
