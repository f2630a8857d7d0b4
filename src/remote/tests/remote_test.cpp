#include "remote/remote.hpp"

#include "keys/keys.hpp"
#include "transport/memory_network.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace starling::remote {

namespace asio = boost::asio;

/// Says one word for each token asked for, and counts who is listening. The real engine runs in the tests of the node.
struct scripted_generator final : engine::generator {
    struct tokens final : engine::token_stream {
        tokens(scripted_generator& from, engine::generate_request what) : of(from), request(std::move(what)) {
            ++of.open;
        }
        ~tokens() override { --of.open; }

        awaitable<result<engine::stream_event>> next() override {
            asio::steady_timer timer(co_await asio::this_coro::executor, of.pace);
            co_await timer.async_wait(asio::use_awaitable);
            if (said == of.breaks_after) {
                co_return fail(engine::errc::unavailable, "The engine was stopped.");
            }
            if (said == request.max_tokens.value_or(3)) {
                co_return engine::stream_event(
                    engine::finished{.reason = engine::finish_reason::length, .usage = {.completion_tokens = said}});
            }
            engine::chunk word;
            word.content = "word" + std::to_string(said) + " ";
            word.tokens.push_back({.id = 100 + said, .bytes = word.content, .logprob = {}, .alternatives = {}});
            ++said;
            co_return engine::stream_event(std::move(word));
        }
        std::int32_t prompt_tokens() const override { return 5; }

        scripted_generator& of;
        engine::generate_request request;
        std::int32_t said = 0;
    };

    engine::model_info info() const override { return {}; }
    engine::engine_load load() const override { return {}; }
    awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                      aio::call_context call) override {
        asked = call;
        if (full) {
            co_return fail(engine::errc::queue_full, "Too many are waiting.");
        }
        std::unique_ptr<engine::token_stream> out = std::make_unique<tokens>(*this, std::move(request));
        co_return out;
    }
    awaitable<result<engine::embedding_result>> embed(engine::embed_request request, aio::call_context) override {
        co_return engine::embedding_result{.vectors = std::vector<std::vector<float>>(request.inputs.size(), {1.0F}),
                                           .prompt_tokens = 2};
    }

    std::chrono::milliseconds pace{0};
    std::int32_t breaks_after = -1;
    bool full = false;
    int open = 0;
    aio::call_context asked;
};

class remote_test : public testing::Test {
  public:
    /// Serves every stream of every connection, until the endpoint stops.
    awaitable<void> serve_all() {
        auto taken = co_await server_->accept();
        for (;;) {
            auto next = co_await (*taken)->accept(transport::steady_time::max());
            if (!next) {
                co_return;
            }
            auto find = [this](std::string_view model) -> result<std::shared_ptr<engine::generator>> {
                if (model != "m") {
                    return fail(engine::errc::unknown_model, "There is no model '" + std::string(model) + "'.");
                }
                return std::shared_ptr<engine::generator>(engine_);
            };
            asio::co_spawn(io_, serve(std::move(*next), find), asio::detached);
        }
    }

    awaitable<std::shared_ptr<remote_generator>> meet(std::string model = "m") {
        asio::co_spawn(io_, serve_all(), asio::detached);
        auto made = co_await client_->connect(server_->local(), keys_.id(), transport::steady_time::max());
        connection_ = *made;
        co_return make_generator(*made, {.id = std::move(model)});
    }

    awaitable<void> pause(int ms) {
        asio::steady_timer timer(io_, std::chrono::milliseconds(ms));
        co_await timer.async_wait(asio::use_awaitable);
    }

    void run(awaitable<void> test) {
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(test), [&](std::exception_ptr e) {
            thrown = e;
            client_->stop();
            server_->stop();
        });
        io_.run();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    }

    asio::io_context io_{1};
    transport::memory_network network_{io_.get_executor()};
    keys::key_pair keys_ = keys::key_pair::generate();
    std::unique_ptr<transport::endpoint> client_ = network_.add(keys::key_pair::generate().id());
    std::unique_ptr<transport::endpoint> server_ = network_.add(keys_.id());
    std::shared_ptr<transport::connection> connection_;
    std::shared_ptr<scripted_generator> engine_ = std::make_shared<scripted_generator>();
};

engine::generate_request request_for(std::int32_t tokens) {
    engine::generate_request out;
    out.prompt = engine::text_prompt{"Go on"};
    out.max_tokens = tokens;
    return out;
}

TEST_F(remote_test, AnAnswerArrivesTokenByToken) {
    run([](remote_test& t) -> awaitable<void> {
        auto remote = co_await t.meet();
        aio::call_context call("req-7", std::chrono::steady_clock::now() + std::chrono::minutes(1));
        auto stream = co_await remote->generate(request_for(4), call);
        EXPECT_TRUE(stream) << stream.error().message;
        EXPECT_EQ((*stream)->prompt_tokens(), 5);
        std::string text;
        std::vector<engine::token_id> ids;
        for (;;) {
            auto event = co_await (*stream)->next();
            EXPECT_TRUE(event);
            if (const auto* end = std::get_if<engine::finished>(&*event)) {
                EXPECT_EQ(end->reason, engine::finish_reason::length);
                EXPECT_EQ(end->usage.completion_tokens, 4);
                break;
            }
            const auto& chunk = std::get<engine::chunk>(*event);
            text += chunk.content;
            ids.push_back(chunk.tokens[0].id);
        }
        EXPECT_EQ(text, "word0 word1 word2 word3 ");
        EXPECT_EQ(ids, (std::vector<engine::token_id>{100, 101, 102, 103}));
        EXPECT_EQ(t.engine_->asked.request_id, "req-7");
        EXPECT_LT(t.engine_->asked.deadline, std::chrono::steady_clock::now() + std::chrono::minutes(2));
        stream->reset();
        co_await t.pause(5);
        EXPECT_EQ(t.engine_->open, 0);
    }(*this));
}

TEST_F(remote_test, DroppingTheStreamStopsTheOtherSideEvenBeforeItSaysAnything) {
    run([](remote_test& t) -> awaitable<void> {
        t.engine_->pace = std::chrono::hours(1);
        auto remote = co_await t.meet();
        auto stream = co_await remote->generate(request_for(4), aio::call_context("a"));
        EXPECT_EQ(t.engine_->open, 1);
        stream->reset();
        co_await t.pause(20);
        EXPECT_EQ(t.engine_->open, 0);
    }(*this));
}

TEST_F(remote_test, ErrorsComeBackAsTheyAre) {
    run([](remote_test& t) -> awaitable<void> {
        auto remote = co_await t.meet();
        t.engine_->full = true;
        auto refused = co_await remote->generate(request_for(4), aio::call_context("a"));
        EXPECT_TRUE(refused.error() == engine::errc::queue_full);
        EXPECT_EQ(refused.error().message, "Too many are waiting.");
        t.engine_->full = false;
        t.engine_->breaks_after = 1;
        auto stream = co_await remote->generate(request_for(4), aio::call_context("a"));
        auto word = co_await (*stream)->next();
        EXPECT_TRUE(word);
        auto broken = co_await (*stream)->next();
        EXPECT_TRUE(broken.error() == engine::errc::unavailable);
        auto other = make_generator(t.connection_, {.id = "x"});
        auto unknown = co_await other->generate(request_for(4), aio::call_context("a"));
        EXPECT_TRUE(unknown.error() == engine::errc::unknown_model);
    }(*this));
}

TEST_F(remote_test, ANodeThatGoesInTheMiddleIsUnavailable) {
    run([](remote_test& t) -> awaitable<void> {
        t.engine_->pace = std::chrono::milliseconds(5);
        auto remote = co_await t.meet();
        auto stream = co_await remote->generate(request_for(1'000), aio::call_context("a"));
        auto word = co_await (*stream)->next();
        EXPECT_TRUE(word);
        t.server_->stop();
        auto gone = co_await (*stream)->next();
        while (gone) {
            gone = co_await (*stream)->next();
        }
        EXPECT_TRUE(gone.error() == engine::errc::unavailable) << gone.error().message;
        auto again = co_await remote->generate(request_for(1), aio::call_context("a"));
        EXPECT_TRUE(again.error() == engine::errc::unavailable);
    }(*this));
}

TEST_F(remote_test, ADeadlineEndsTheWait) {
    run([](remote_test& t) -> awaitable<void> {
        t.engine_->pace = std::chrono::hours(1);
        auto remote = co_await t.meet();
        aio::call_context call("a", std::chrono::steady_clock::now() + std::chrono::milliseconds(30));
        auto stream = co_await remote->generate(request_for(4), call);
        auto late = co_await (*stream)->next();
        EXPECT_TRUE(late.error() == engine::errc::deadline);
    }(*this));
}

TEST_F(remote_test, EmbeddingsArrive) {
    run([](remote_test& t) -> awaitable<void> {
        auto remote = co_await t.meet();
        engine::embed_request what;
        what.inputs.emplace_back("a");
        what.inputs.emplace_back("b");
        auto got = co_await remote->embed(what, aio::call_context("a"));
        EXPECT_TRUE(got);
        EXPECT_EQ(got->vectors.size(), 2U);
        EXPECT_EQ(got->prompt_tokens, 2);
    }(*this));
}

}  // namespace starling::remote
