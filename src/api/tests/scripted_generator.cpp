#include "api/tests/scripted_generator.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace starling::api::testing {

namespace asio = boost::asio;

namespace {

class scripted_stream final : public engine::token_stream {
  public:
    scripted_stream(script plan, bool logprobs, std::atomic<int>& alive)
        : script_(std::move(plan)), logprobs_(logprobs), alive_(alive) {
        ++alive_;
    }
    ~scripted_stream() override { --alive_; }

    engine::awaitable<result<engine::stream_event>> next() override {
        if (script_.pause_ms > 0) {
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(script_.pause_ms));
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (at_ < script_.words.size()) {
            co_return next_word();
        }
        if (!told_calls_ && !script_.tool_calls.empty()) {
            told_calls_ = true;
            engine::chunk chunk;
            chunk.tool_calls = script_.tool_calls;
            co_return engine::stream_event(std::move(chunk));
        }
        if (script_.never_ends) {
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (script_.failure) {
            co_return *script_.failure;
        }
        engine::finished end;
        end.reason = script_.reason;
        end.usage.prompt_tokens = 7;
        end.usage.completion_tokens = static_cast<std::int32_t>(script_.words.size());
        end.usage.cached_tokens = 2;
        co_return engine::stream_event(end);
    }

    std::int32_t prompt_tokens() const override { return 7; }
    engine::provenance from() const override {
        return has_moved() ? engine::provenance{.node = "bbbb", .reason = "free", .cause = "a \"cut\""}
                           : engine::provenance{};
    }
    std::uint32_t moves() const override { return has_moved() ? 1 : 0; }

  private:
    /// The word that is out by now was the first of the other node.
    bool has_moved() const { return script_.moves_after > 0 && at_ > script_.moves_after; }

    engine::stream_event next_word() {
        engine::chunk chunk;
        chunk.content = script_.words[at_++];
        engine::emitted_token token;
        token.id = static_cast<engine::token_id>(at_);
        token.bytes = chunk.content;
        if (logprobs_) {
            token.logprob = -0.5F;
        }
        chunk.tokens.push_back(std::move(token));
        if (script_.part_moves_after > 0 && at_ == script_.part_moves_after + 1) {
            chunk.replaced = std::make_shared<const engine::replacement>(
                engine::replacement{.node = "cccc", .cause = "attic: it was lost"});
        }
        return chunk;
    }

    script script_;
    bool logprobs_;
    std::atomic<int>& alive_;
    std::size_t at_ = 0;
    bool told_calls_ = false;
};

}  // namespace

engine::model_info scripted_generator::info() const {
    engine::model_info info;
    info.id = "scripted";
    info.source = "/models/scripted.gguf";
    info.architecture = "llama";
    info.size_bytes = 1234;
    info.context_length = 128;
    info.layers = 4;
    info.embedding_length = 3;
    return info;
}

engine::engine_load scripted_generator::load() const {
    engine::engine_load load;
    load.slots = 4;
    load.busy = alive;
    load.queue_limit = 8;
    load.tokens_per_s = 50.0;
    load.draft_accepted = 21;
    load.draft_rejected = 9;
    return load;
}

engine::awaitable<result<std::unique_ptr<engine::token_stream>>> scripted_generator::generate(
    engine::generate_request request, aio::call_context) {
    if (script_.refusal) {
        co_return *script_.refusal;
    }
    const bool logprobs = request.logprobs.has_value();
    requests.push_back(std::move(request));
    std::unique_ptr<engine::token_stream> stream = std::make_unique<scripted_stream>(script_, logprobs, alive);
    co_return stream;
}

engine::awaitable<result<engine::embedding_result>> scripted_generator::embed(engine::embed_request request,
                                                                              aio::call_context) {
    if (script_.refusal) {
        co_return *script_.refusal;
    }
    engine::embedding_result vectors;
    vectors.vectors.assign(request.inputs.size(), {1.0F, 0.0F, 0.0F});
    vectors.prompt_tokens = 5;
    embed_requests.push_back(std::move(request));
    co_return vectors;
}

}  // namespace starling::api::testing
