// The generator of one model name, whoever serves it. Thread: the network executor.
#pragma once

#include "dispatch/core.hpp"

#include <memory>
#include <string>

namespace starling::dispatch {

class front final : public engine::generator {
  public:
    front(std::shared_ptr<core> of, std::string model, engine::model_info info);

    engine::model_info info() const override;
    engine::engine_load load() const override;
    engine::awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                              aio::call_context call) override;
    engine::awaitable<result<engine::embedding_result>> embed(engine::embed_request request,
                                                              aio::call_context call) override;

  private:
    std::shared_ptr<core> core_;
    std::string model_;
    engine::model_info info_;
};

}  // namespace starling::dispatch
