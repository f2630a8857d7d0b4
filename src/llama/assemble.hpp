// An engine from its parts, for who drives the stages of a split model.
#pragma once

#include "llama/draft_policy.hpp"
#include "llama/drafter.hpp"
#include "llama/stage_chain.hpp"

#include <memory>

namespace starling::llama {

/// With the context and the slots that are chosen where the options say nothing.
engine_options with_defaults(engine_options options, const model& model);

/// The draft model that the options name; none when they name none, or when `target` writes no text. `options`:
/// with_defaults(). errc::draft_unusable also when `target` has a memory from which rejected tokens cannot be taken
/// back.
result<std::unique_ptr<drafter>> load_drafter(const engine_options& options, const model& target,
                                              const load_progress& progress, const log_sink& log);

/// stage_options::outputs of the last stage: so many logits of one step are wanted. 0: as by default.
inline std::int32_t outputs_with(const drafter* draft) {
    return draft == nullptr ? 0 : max_verified_tokens;
}

/// Starts the engine thread. `text`: as for scheduler; `options`: with_defaults(). Destroying the generator is as for
/// load_engine.
std::shared_ptr<engine::generator> make_engine(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain,
                                               const engine_options& options, log_sink log = {},
                                               std::unique_ptr<drafter> draft = nullptr);

}  // namespace starling::llama
