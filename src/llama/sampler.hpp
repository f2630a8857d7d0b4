// Draws tokens: llama-common's chain (bias, penalties, top-k, top-p, min-p, temperature, grammar) with a last sampler
// of our own, whose randomness is a counter. The draw for token i depends on (seed, i) alone, so a stream that another
// engine continues needs its tokens and its seed, and no generator state.
#pragma once

#include "engine/types.hpp"
#include "llama/chat_format.hpp"

#include <memory>
#include <span>
#include <vector>

struct llama_context;

namespace starling::llama {

class sampler {
  public:
    /// `prompt`: tokens that penalties look back on. A grammar that does not parse is errc::invalid_request.
    static result<sampler> create(const model& model, const engine::generate_request& request,
                                  const answer_format& format, std::span<const engine::token_id> prompt);

    sampler(sampler&&) noexcept;
    sampler& operator=(sampler&&) noexcept;
    ~sampler();

    /// Draws token number `index` of the answer from output row `row` of the context's last batch.
    engine::token_id sample(llama_context* context, std::int32_t row, std::uint64_t index);

    /// Advances grammar and penalties by a token of the answer. False when the grammar does not allow it.
    bool accept(engine::token_id token);

  private:
    struct state;
    explicit sampler(std::unique_ptr<state> made);

    std::unique_ptr<state> state_;
};

/// Log-probability of `token` and of the `top` most likely ones under the model's own distribution (before
/// temperature and the like). `logits` has one value for each token of the vocabulary.
engine::emitted_token with_logprobs(const model& model, std::span<const float> logits, engine::token_id token,
                                    std::int32_t top);

}  // namespace starling::llama
