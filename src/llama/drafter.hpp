// A small model that guesses what the large one will say. It proposes the tokens that it finds most likely, one after
// the other; the large one computes all of them in one pass and keeps those that it would have drawn itself.
//
// The draft has a sequence of its own for every slot. What of it is out of date — tokens that were rejected, or drawn
// while nothing was drafted — is found by comparing with the tokens that a request brings, so nobody has to tell it.
// Owner: the scheduler. Thread: the engine thread alone, but for interrupt().
#pragma once

#include "llama/stage.hpp"

#include <memory>
#include <span>
#include <vector>

namespace starling::llama {

struct drafter_options {
    std::int32_t slots = 1;
    std::int32_t context = 0;  // positions of each slot
    std::int32_t threads = 0;  // 0: one for each physical core
};

struct draft_request {
    sequence_id sequence = 0;
    std::span<const engine::token_id> tokens;  // all that is known: the prompt and the answer so far
    std::int32_t count = 0;                    // tokens to propose
};

struct draft_proposal {
    sequence_id sequence = 0;
    std::vector<engine::token_id> tokens;  // may be fewer than asked for
    bool stopped = false;                  // because they would hardly be accepted
};

/// What was proposed, in the order of the requests, and how long it took.
struct draft_run {
    std::vector<draft_proposal> proposals;
    double catch_up_s = 0.0;  // spent on reading what was new, but for the last token
    double steps_s = 0.0;     // spent on proposing
    std::int32_t steps = 0;   // passes through the draft for that: each proposes one token of every request
};

class drafter {
  public:
    /// errc::draft_unusable when the draft does not have the vocabulary of `target`, or cannot take tokens back.
    static result<std::unique_ptr<drafter>> create(std::shared_ptr<const model> draft, const model& target,
                                                   const drafter_options& options);

    /// Proposals for several sequences, computed together. They end where their tokens so far are all accepted with a
    /// probability below `floor`, on the mean over the requests. After an error everything is forgotten.
    result<draft_run> propose(std::span<const draft_request> requests, double floor);

    /// What propose() would need to read the tokens that are new to it, as far as that is known from earlier ones.
    double catch_up_s(sequence_id sequence, std::span<const engine::token_id> tokens) const;

    /// The sequence's cache is not used again.
    void forget(sequence_id sequence);

    /// Makes a running proposal end early, with an error. Any thread.
    void interrupt() { stage_->interrupt(); }

    const model& of() const { return stage_->of(); }

  private:
    struct running;
    drafter(std::unique_ptr<stage> stage, const drafter_options& options, std::int32_t vocabulary);
    position usable(sequence_id sequence, std::span<const engine::token_id> tokens) const;
    bool readable(std::span<const engine::token_id> tokens) const;
    std::vector<running> begin(std::span<const draft_request> requests, draft_run& run);
    result<void> read(running& stream, std::int32_t& tokens_read);
    result<void> catch_up(std::vector<running>& streams, draft_run& run);
    result<bool> propose_one(std::vector<running>& streams, double floor);
    void forget_all();

    std::unique_ptr<stage> stage_;
    std::int32_t context_;
    std::int32_t vocabulary_;                            // ids below are tokens of both models
    std::vector<std::vector<engine::token_id>> cached_;  // by sequence
    std::vector<cache_edit> edits_;                      // for the next step
    double read_token_s_ = 0.0;
};

}  // namespace starling::llama
