// A contiguous range of a model's layers with its KV cache: one llama_context. A solo node has one stage with all the
// layers. Owner: a stage_chain, or the worker that computes it for another machine. Thread: that one's alone, once
// created.
#pragma once

#include "llama/graph_tap.hpp"
#include "llama/model.hpp"
#include "llama/step.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <vector>

struct llama_context;
struct llama_context_params;

namespace starling::llama {

struct stage_options {
    std::int32_t context = 0;    // positions of each sequence
    std::int32_t sequences = 1;  // how many there are
    std::int32_t threads = 0;    // 0: one for each physical core
    std::int32_t widest = 0;     // most tokens of one step; 0: max_step_tokens()
    std::int32_t outputs = 0;    // most tokens of one step whose logits are wanted; 0: one for each sequence
};

/// Most tokens that one pass through the layers computes: larger steps are cut by llama.cpp, and its compute buffers
/// grow with this. A GPU wants wide steps; a processor's caches are full earlier.
std::int32_t max_step_tokens(const model& model);

/// How its context is set up; `options` has its numbers.
llama_context_params context_params(const stage_options& options, bool gives_hidden_states);

class stage {
  public:
    static result<std::unique_ptr<stage>> create(std::shared_ptr<const model> model, stage_options options);

    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    ~stage();

    /// Carries out the edits and runs the tokens through the layers: tokens in, logits out. After an error the
    /// sequences of the step are in an unknown state and must be cleared.
    result<void> run(const step& step) { return run(step, {}, nullptr); }

    /// The same for a slice: `in` are the hidden states that the stage before gave, in the order of the step's tokens,
    /// [n_tokens, width()]; empty for the first stage. `out` takes those of this stage; null for the last. A step is
    /// computed in one pass: neighbouring sequences with equally many tokens each.
    result<void> run(const step& step, std::span<const float> in, std::vector<float>* out);

    /// Elements of one hidden state.
    std::int32_t width() const;

    /// Most tokens of one step.
    std::int32_t widest() const { return widest_; }

    /// Lowest position that the sequence still has in every layer (a sliding window forgets early ones).
    position lowest_position(sequence_id sequence) const;

    /// Makes a running step give up early; it ends with an error. Any thread.
    void interrupt() { interrupted_ = true; }

    llama_context* context() const { return context_; }
    const model& of() const { return *model_; }
    const std::shared_ptr<const model>& shared_model() const { return model_; }
    std::int32_t threads() const { return threads_; }

    /// Bytes of KV cache that copying one sequence moves.
    std::uint64_t sequence_bytes() const { return sequence_bytes_; }

  private:
    struct watch {
        explicit watch(gguf::stage_seams seams) : tap(std::move(seams)) {}
        graph_tap tap;
        huge_pages pages;
    };
    stage(std::shared_ptr<const model> model, llama_context* context, std::unique_ptr<watch> graph,
          const stage_options& options);
    result<void> decode(const step& step);
    result<void> apply(const truncation& edit);
    result<void> apply(const prefix_copy& copy);
    void warm_up();

    std::shared_ptr<const model> model_;
    std::unique_ptr<watch> graph_;  // the context calls it
    llama_context* context_;
    std::int32_t threads_;
    std::int32_t widest_;
    std::uint64_t sequence_bytes_ = 0;
    std::atomic<bool> interrupted_ = false;
};

}  // namespace starling::llama
