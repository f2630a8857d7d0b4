// From a request as the API knows it to a job for the engine: chat template, tokens, grammar, limits. Pure but for the
// model that it reads; runs on the preparing pool, so that neither the network nor the engine thread waits for it.
#pragma once

#include "llama/chat_format.hpp"
#include "llama/job.hpp"

#include <memory>

namespace starling::llama {

class preparer {
  public:
    preparer(std::shared_ptr<const model> model, std::int32_t context);

    /// A prompt of which nothing would fit behind is errc::prompt_too_long with the numbers.
    result<std::unique_ptr<generation>> prepare(engine::generate_request request, aio::call_context call,
                                                std::shared_ptr<stream_link> link) const;

    result<std::vector<std::vector<engine::token_id>>> prepare(const engine::embed_request& request) const;

  private:
    result<rendered_prompt> render(const engine::generate_request& request) const;
    /// What was emitted elsewhere runs through grammar, penalties, stop strings and parser, and is shown to nobody.
    result<void> replay(std::span<const engine::token_id> emitted, generation& job) const;
    result<void> check_tokens(std::span<const engine::token_id> tokens, const char* what) const;

    std::shared_ptr<const model> model_;
    chat_format chat_;
    std::int32_t context_;
};

}  // namespace starling::llama
