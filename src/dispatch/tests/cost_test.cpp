// What a token costs more than without the dispatcher, and what a stream keeps: it stands between every token and its
// client.
#include "dispatch/tests/fakes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace starling::dispatch {

namespace {

using clock = std::chrono::steady_clock;

/// Gives a token at every turn of the loop, as a channel does.
struct endless final : engine::generator {
    struct tokens final : engine::token_stream {
        awaitable<result<engine::stream_event>> next() override {
            co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
            engine::chunk out;
            out.content = "word ";
            out.tokens.push_back({.id = 5, .bytes = "word ", .logprob = {}, .alternatives = {}});
            co_return engine::stream_event(std::move(out));
        }
        std::int32_t prompt_tokens() const override { return 1; }
    };
    engine::model_info info() const override { return {}; }
    engine::engine_load load() const override { return {}; }
    awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request,
                                                                      aio::call_context) override {
        std::unique_ptr<engine::token_stream> out = std::make_unique<tokens>();
        co_return out;
    }
    awaitable<result<engine::embedding_result>> embed(engine::embed_request, aio::call_context) override {
        co_return engine::embedding_result{};
    }
};

awaitable<void> read(std::shared_ptr<engine::generator> from, int tokens, double& microseconds_each) {
    auto stream = co_await from->generate(request(), aio::call_context("a"));
    const auto began = clock::now();
    for (int i = 0; i < tokens; ++i) {
        auto event = co_await (*stream)->next();
        EXPECT_TRUE(event);
    }
    microseconds_each = std::chrono::duration<double, std::micro>(clock::now() - began).count() / tokens;
}

}  // namespace

class cost_test : public dispatch_test {};

TEST_F(cost_test, ATokenCostsLittleMore) {
    const auto worker = std::make_shared<endless>();
    directory_.add(1);
    directory_.at(1).generator = worker;
    double without = 0.0;
    double with = 0.0;
    run([](cost_test& t, std::shared_ptr<engine::generator> bare, double& a, double& b) -> awaitable<void> {
        constexpr int tokens = 20'000;
        co_await read(bare, tokens, a);
        co_await read(t.front(), tokens, b);
    }(*this, worker, without, with));
    RecordProperty("added_ns", static_cast<int>(1'000 * (with - without)));
    EXPECT_LT(with - without, 100.0) << "a few in a release build; this only catches what is badly wrong";
}

}  // namespace starling::dispatch
