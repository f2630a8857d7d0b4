// The pipeline that the scheduler drives: stages in order, the last of them in this process, so that logits, sampling
// and grammars are local whatever the split. A solo node is a chain of one.
//
// `depth` steps may be in flight; the scheduler deals its slots into that many groups and never has two steps of one
// group in flight. Thread: the engine thread.
#pragma once

#include "llama/stage.hpp"

#include <deque>

namespace starling::llama {

class stage_chain {
  public:
    stage_chain() = default;
    stage_chain(const stage_chain&) = delete;
    stage_chain& operator=(const stage_chain&) = delete;
    virtual ~stage_chain() = default;

    /// How many steps may be submitted before the first is collected.
    virtual std::size_t depth() const = 0;

    /// Starts a step; does not wait for it.
    virtual void submit(step step) = 0;

    /// Waits for the oldest submitted step. On success its outputs can be sampled from last().context(), in the order
    /// of the step's tokens, until the next call.
    virtual result<void> collect() = 0;

    /// The stage with the output head.
    virtual stage& last() = 0;
};

/// All the layers in this process.
class local_chain final : public stage_chain {
  public:
    explicit local_chain(std::unique_ptr<stage> only) : only_(std::move(only)) {}

    std::size_t depth() const override { return 1; }
    void submit(step step) override { waiting_.push_back(std::move(step)); }
    result<void> collect() override;
    stage& last() override { return *only_; }

  private:
    std::unique_ptr<stage> only_;
    std::deque<step> waiting_;
};

inline result<void> local_chain::collect() {
    const step next = std::move(waiting_.front());
    waiting_.pop_front();
    return only_->run(next);
}

}  // namespace starling::llama
