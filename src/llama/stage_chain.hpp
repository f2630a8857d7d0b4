// The pipeline that the scheduler drives: stages in order, the last of them in this process, so that logits, sampling
// and grammars are local whatever the split. A solo node is a chain of one.
//
// Steps are carried out in the order in which they are submitted, by every stage; several may be on their way at once,
// also of the same sequence, because what a step needs is known when it is submitted. Thread: the engine thread, but
// for `notify`'s callback.
#pragma once

#include "llama/stage.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace starling::llama {

class stage_chain {
  public:
    stage_chain() = default;
    stage_chain(const stage_chain&) = delete;
    stage_chain& operator=(const stage_chain&) = delete;
    virtual ~stage_chain() = default;

    /// Into how many steps the streams are dealt, so that every stage has something to do. At least 1.
    virtual std::size_t depth() const = 0;

    /// Its stages compute a step in one pass: neighbouring sequences with equally many tokens each.
    virtual bool single_pass() const = 0;

    /// Most tokens of one step.
    virtual std::int32_t widest() const = 0;

    /// Steps may be submitted now.
    virtual bool usable() const = 0;

    /// Why it will never be usable again; nothing while it may be.
    virtual std::optional<error> ended() const = 0;

    /// Starts a step; does not wait for it.
    virtual void submit(step step) = 0;

    /// The oldest submitted step can be collected without waiting. Also once after the stages were lost, whether a step
    /// was on its way or not.
    virtual bool ready() const = 0;

    /// Finishes the oldest submitted step. On success its outputs can be sampled from last().context(), in the order of
    /// the step's tokens, until the next call. errc::stages_lost: all submitted steps are gone, and every sequence is
    /// empty in all stages once the chain is usable again.
    virtual result<void> collect() = 0;

    /// The same, up to the last stage: the hidden states that would go into it, [n_tokens, n_embd], for whoever wants
    /// something else of them than logits. Never called where the chain is the last stage alone.
    virtual result<std::vector<float>> collect_hidden() = 0;

    /// The stage with the output head. Valid after collect(), until the next call.
    virtual stage& last() = 0;

    /// Lowest position that the sequence, which has `length` of them, still has in every layer.
    virtual position lowest_position(sequence_id sequence, position length) const = 0;

    /// Why the stages are others than before the last loss; null where they are not.
    virtual std::shared_ptr<const engine::replacement> replaced() const { return nullptr; }

    /// See model::sliding_window().
    virtual std::int32_t sliding_window() const = 0;

    /// Bytes of KV cache that copying one sequence moves, in the stage that takes longest.
    virtual std::uint64_t sequence_bytes() const = 0;

    /// `changed` is called, on any thread, whenever ready(), usable() or ended() may have become true. Set before the
    /// first step.
    virtual void notify(std::function<void()> changed) = 0;

    /// Makes a running step end early. Any thread.
    virtual void interrupt() = 0;
};

/// All the layers in this process.
class local_chain final : public stage_chain {
  public:
    explicit local_chain(std::unique_ptr<stage> only) : only_(std::move(only)) {}

    std::size_t depth() const override { return 1; }
    bool single_pass() const override { return false; }
    std::int32_t widest() const override { return only_->widest(); }
    bool usable() const override { return true; }
    std::optional<error> ended() const override { return std::nullopt; }
    void submit(step step) override { waiting_.push_back(std::move(step)); }
    bool ready() const override { return !waiting_.empty(); }
    result<void> collect() override;
    result<std::vector<float>> collect_hidden() override;
    stage& last() override { return *only_; }
    position lowest_position(sequence_id sequence, position) const override { return only_->lowest_position(sequence); }
    std::int32_t sliding_window() const override { return only_->of().sliding_window(); }
    std::uint64_t sequence_bytes() const override { return only_->sequence_bytes(); }
    void notify(std::function<void()>) override {}
    void interrupt() override { only_->interrupt(); }

  private:
    std::unique_ptr<stage> only_;
    std::deque<step> waiting_;
};

inline result<void> local_chain::collect() {
    const step next = std::move(waiting_.front());
    waiting_.pop_front();
    return only_->run(next);
}

inline result<std::vector<float>> local_chain::collect_hidden() {
    return fail(engine::errc::internal, "a chain of one stage has no hidden states to give");
}

}  // namespace starling::llama
