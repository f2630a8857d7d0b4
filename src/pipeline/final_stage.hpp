// The coordinator's own stage, with the output head: llama.cpp in the product, arithmetic in tests.
//
// Owner: remote_chain. Thread: the engine thread, but for interrupt().
#pragma once

#include "base/result.hpp"
#include "llama/step.hpp"

#include <cstdint>
#include <span>

namespace starling::llama {
class stage;
}

namespace starling::pipeline {

class final_stage {
  public:
    final_stage() = default;
    final_stage(const final_stage&) = delete;
    final_stage& operator=(const final_stage&) = delete;
    virtual ~final_stage() = default;

    /// `in` is [tokens, width].
    virtual result<void> run(const llama::step& step, std::span<const float> in) = 0;

    /// Forgets every sequence.
    virtual result<void> clear() = 0;

    /// Any thread.
    virtual void interrupt() = 0;

    /// Where the outputs can be sampled from.
    virtual llama::stage& stage() = 0;

    virtual std::int32_t layers() const = 0;
    virtual std::int32_t widest() const = 0;
    virtual llama::position lowest_position(llama::sequence_id sequence) const = 0;
    virtual std::int32_t sliding_window() const = 0;
    virtual std::uint64_t sequence_bytes() const = 0;

    /// Computing, lately; 0: nothing yet. Any thread.
    virtual double ms_per_token() const = 0;
};

}  // namespace starling::pipeline
