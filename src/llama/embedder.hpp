// Embeddings: a context of its own beside the stages, made when the first one is asked for, since most models never
// are. Engine thread only.
#pragma once

#include "llama/graph_tap.hpp"
#include "llama/job.hpp"

#include <memory>
#include <span>
#include <vector>

struct llama_context;

namespace starling::llama {

class embedder {
  public:
    embedder(std::shared_ptr<const model> model, std::int32_t threads);
    embedder(const embedder&) = delete;
    embedder& operator=(const embedder&) = delete;
    ~embedder();

    /// Pooled as the model says, by the mean where it says nothing; each vector has length 1.
    result<engine::embedding_result> embed(const std::vector<std::vector<engine::token_id>>& inputs);

    /// Where the model is the last slice of one: the vector of an input of `tokens` tokens, from what the slices before
    /// made of it, [n_tokens, n_embd].
    result<std::vector<float>> embed_hidden(std::size_t tokens, std::span<const float> hidden);

  private:
    result<void> open();
    result<void> compute(const std::vector<std::span<const engine::token_id>>& inputs);
    result<std::vector<float>> vector_of(std::int32_t sequence) const;
    result<void> run_batch(std::span<const std::vector<engine::token_id>> inputs, engine::embedding_result& out);

    std::shared_ptr<const model> model_;
    std::int32_t threads_;
    graph_tap tap_;  // the context calls it
    llama_context* context_ = nullptr;
};

/// Most tokens of one input.
std::int32_t max_embedding_tokens(const model& model);

}  // namespace starling::llama
