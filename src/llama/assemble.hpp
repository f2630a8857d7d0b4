// An engine from its parts, for who drives the stages of a split model.
#pragma once

#include "llama/stage_chain.hpp"

#include <memory>

namespace starling::llama {

/// With the context and the slots that are chosen where the options say nothing.
engine_options with_defaults(engine_options options, const model& model);

/// Starts the engine thread. `text`: as for scheduler; `options`: with_defaults(). Destroying the generator is as for
/// load_engine.
std::shared_ptr<engine::generator> make_engine(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain,
                                               const engine_options& options, log_sink log = {});

}  // namespace starling::llama
