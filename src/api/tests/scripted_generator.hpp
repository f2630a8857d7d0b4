// A generator that says what a test tells it to, and counts the streams that are alive.
#pragma once

#include "engine/engine.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace starling::api::testing {

/// What every stream of the generator does. Read on the network thread; set before requests are sent.
struct script {
    std::vector<std::string> words{"Hello", ", ", "world", "!"};
    int pause_ms = 0;                  // before each event
    bool never_ends = false;           // waits after its words
    std::size_t moves_after = 0;       // words, after which another node goes on; 0: it stays
    std::size_t part_moves_after = 0;  // the same, of a part of the model
    std::optional<error> refusal;      // of generate and embed
    std::optional<error> failure;      // after the words
    std::vector<engine::tool_call_delta> tool_calls;
    engine::finish_reason reason = engine::finish_reason::stop;
};

class scripted_generator final : public engine::generator {
  public:
    explicit scripted_generator(script& plan) : script_(plan) {}

    engine::model_info info() const override;
    engine::engine_load load() const override;
    engine::awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                              aio::call_context call) override;
    engine::awaitable<result<engine::embedding_result>> embed(engine::embed_request request,
                                                              aio::call_context call) override;

    std::atomic<int> alive{0};
    std::vector<engine::generate_request> requests;
    std::vector<engine::embed_request> embed_requests;

  private:
    script& script_;
};

}  // namespace starling::api::testing
