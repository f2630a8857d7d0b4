// A contiguous range of a model's layers with its KV cache: one llama_context. A solo node has one stage with all the
// layers. Owner: a stage_chain. Thread: the engine thread alone, once created.
#pragma once

#include "llama/huge_pages.hpp"
#include "llama/model.hpp"
#include "llama/step.hpp"

#include <atomic>
#include <memory>

struct llama_context;

namespace starling::llama {

struct stage_options {
    std::int32_t context = 0;    // positions of each sequence
    std::int32_t sequences = 1;  // how many there are
    std::int32_t threads = 0;    // 0: one for each physical core
};

/// Most tokens that one pass through the layers computes: larger steps are cut by llama.cpp, and its compute buffers
/// grow with this. A GPU wants wide steps; a processor's caches are full earlier.
std::int32_t max_step_tokens(const model& model);

class stage {
  public:
    static result<std::unique_ptr<stage>> create(std::shared_ptr<const model> model, stage_options options);

    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    ~stage();

    /// Carries out the edits and runs the tokens through the layers. After an error the sequences of the step are in an
    /// unknown state and must be cleared.
    result<void> run(const step& step);

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
    stage(std::shared_ptr<const model> model, llama_context* context, std::unique_ptr<huge_pages> pages,
          const stage_options& options);
    result<void> apply(const truncation& edit);
    result<void> apply(const prefix_copy& copy);
    void warm_up();

    std::shared_ptr<const model> model_;
    std::unique_ptr<huge_pages> pages_;  // the context calls it
    llama_context* context_;
    std::int32_t threads_;
    std::uint64_t sequence_bytes_ = 0;
    std::atomic<bool> interrupted_ = false;
};

}  // namespace starling::llama
