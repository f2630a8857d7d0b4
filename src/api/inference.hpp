// /v1/chat/completions, /v1/completions and /v1/embeddings. Private to api.
#pragma once

#include "api/answer_format.hpp"
#include "api/call.hpp"
#include "api/generation.hpp"
#include "api/metrics.hpp"
#include "openai/request.hpp"

#include <functional>
#include <string>
#include <vector>

namespace starling::api {

class inference {
  public:
    inference(const options& options, route::model_table& models, mesh_view* mesh, metrics& metrics,
              std::function<std::uint64_t()> random);

    /// Bodies are taken by value: they are freed before the first token is awaited.
    http::awaitable<void> chat(call& call, std::string body);
    http::awaitable<void> completions(call& call, std::string body);
    http::awaitable<void> embeddings(call& call, std::string body);

  private:
    /// The generator for this model, or the call is answered with the reason why there is none.
    std::shared_ptr<engine::generator> choose(call& call, const std::string& model);
    openai::answer_identity identify(const call& call, std::string_view prefix);

    http::awaitable<void> answer(call& call, generation generation, std::unique_ptr<answer_format> format,
                                 openai::stream_options streaming, std::size_t choices, bool logprobs);
    http::awaitable<void> answer_whole(call& call, generation& generation, answer_format& format, std::size_t choices,
                                       bool logprobs);
    http::awaitable<void> answer_stream(call& call, generation& generation, answer_format& format, std::size_t choices);
    void account(call& call, const generation& generation);

    const options& options_;
    route::model_table& models_;
    mesh_view* mesh_;
    metrics& metrics_;
    std::function<std::uint64_t()> random_;
};

}  // namespace starling::api
