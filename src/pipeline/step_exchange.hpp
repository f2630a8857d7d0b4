// Where the engine thread and the network meet at the coordinator: steps go out in order, and come back in the same
// order with what the remote stages made of them. A loss takes every step that is out with it; the engine is told of it
// exactly once, also when no step was out and when the chain is whole again by then, for every sequence that it
// believes in is gone.
//
// Any call from any thread; the comments say whose it is.
#pragma once

#include "llama/errc.hpp"
#include "pipeline/data_codec.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace starling::pipeline {

struct outgoing_step {
    step_number number = 0;
    llama::step step;
};

struct returned_step {
    llama::step step;
    std::vector<float> activations;  // [tokens, width]
};

class step_exchange {
  public:
    step_exchange() = default;
    step_exchange(const step_exchange&) = delete;
    step_exchange& operator=(const step_exchange&) = delete;

    // The engine's side.

    std::size_t depth() const;
    bool usable() const;
    std::optional<error> ended() const;
    void submit(llama::step step);
    bool ready() const;

    /// As open() was told last.
    std::shared_ptr<const engine::replacement> replaced() const;

    /// Waits for the oldest step. Error: llama::errc::stages_lost; then there are no more.
    result<returned_step> take();

    /// `changed` is called on the network's thread, without a lock.
    void notify(std::function<void()> changed);

    // The network's side.

    /// `submitted` is called on the engine's thread, without a lock.
    void on_submitted(std::function<void()> submitted);

    /// The chain is whole; steps are numbered from 0. `replaced`: who is in it for somebody else, or null.
    void open(std::size_t depth, std::shared_ptr<const engine::replacement> replaced);

    /// The next step to be sent.
    std::optional<outgoing_step> next_outgoing();

    /// What came back. Errors: gap (it is not the oldest that is out), wrong_shape (it is another step).
    result<void> give(data_frame frame);

    /// The oldest step that is out.
    std::optional<step_number> oldest() const;

    void lose(const error& why);
    void end(const error& why);

  private:
    struct entry {
        step_number number = 0;
        llama::step step;
        bool sent = false;
        bool returned = false;
        std::vector<float> activations;
    };

    bool ready_locked() const;
    void tell_engine();

    mutable std::mutex mutex_;
    std::condition_variable returned_;
    std::deque<entry> steps_;
    std::size_t depth_ = 1;
    std::shared_ptr<const engine::replacement> replaced_;
    bool whole_ = false;
    std::optional<error> untold_;  // a loss that the engine does not know of
    std::optional<error> ended_;
    step_number next_ = 0;
    std::function<void()> changed_;
    std::function<void()> submitted_;
};

}  // namespace starling::pipeline
