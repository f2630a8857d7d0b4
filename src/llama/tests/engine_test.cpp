#include "engine_fixture.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cmath>
#include <thread>

namespace starling::llama {
namespace {

std::string long_text(std::size_t words) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) {
        text += "word" + std::to_string(i % 97) + " ";
    }
    return text;
}

/// The load is published after the step that ended the answer.
bool becomes_idle(const engine::generator& generator) {
    for (int i = 0; i < 500 && generator.load().busy > 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return generator.load().busy == 0;
}

TEST_F(engine_test, AnswersAndEndsByItself) {
    const auto generator = load();
    const auto answer = ask(*generator, chat("Hello!"));
    ASSERT_FALSE(answer.failure) << answer.failure->message;
    ASSERT_TRUE(answer.end);
    EXPECT_FALSE(answer.content.empty());
    EXPECT_EQ(answer.end->usage.completion_tokens, static_cast<std::int32_t>(answer.tokens.size()));
    EXPECT_GT(answer.end->usage.prompt_tokens, 0);
}

// The heart of "no answer lost": stopped after any token and continued by a fresh engine, the answer is the same.
TEST_F(engine_test, AStreamContinuesInAFreshEngineAfterEveryToken) {
    auto request = completion("Once upon a time there was a", 24);
    request.sampling.temperature = 0.9F;
    request.sampling.top_p = 0.95F;
    request.sampling.seed = 20261121;
    request.sampling.repeat_penalty = 1.1F;
    const auto whole = ask(*load(), request);
    ASSERT_EQ(whole.tokens.size(), 24U);

    for (std::size_t k = 1; k <= whole.tokens.size(); ++k) {
        auto rest_request = request;
        rest_request.resume.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(k));
        const auto begun = ask(*load(), request, k);
        const auto rest = ask(*load(), rest_request);
        ASSERT_FALSE(rest.failure) << k << ": " << rest.failure->message;
        auto joined = begun.tokens;
        joined.insert(joined.end(), rest.tokens.begin(), rest.tokens.end());
        EXPECT_EQ(joined, whole.tokens) << "stopped after token " << k;
        EXPECT_EQ(begun.content + rest.content, whole.content) << "stopped after token " << k;
        EXPECT_EQ(rest.end->reason, engine::finish_reason::length);
        EXPECT_EQ(rest.end->usage.completion_tokens, 24);
    }
}

TEST_F(engine_test, ALongStreamContinuesInAFreshEngineAsItWouldHave) {
    auto request = completion("Tell me a story about a lighthouse.", 400);
    request.ignore_end = true;
    for (const std::uint32_t seed : {1U, 2U, 3U}) {
        request.sampling.temperature = 0.8F;
        request.sampling.seed = seed;
        const auto whole = ask(*load(), request);
        ASSERT_EQ(whole.tokens.size(), 400U);
        for (const std::size_t k : {65U, 150U, 300U}) {
            auto rest_request = request;
            rest_request.resume.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(k));
            auto joined = rest_request.resume;
            const auto rest = ask(*load(), rest_request);
            joined.insert(joined.end(), rest.tokens.begin(), rest.tokens.end());
            EXPECT_EQ(joined, whole.tokens) << "seed " << seed << ", stopped after token " << k;
        }
    }
}

TEST_F(engine_test, AStopStringEndsAResumedAnswerAtTheSamePlace) {
    auto request = completion("Count: 1 2 3", 40);
    const auto free = ask(*load(), request);
    ASSERT_GT(free.content.size(), 12U);
    request.stop = {free.content.substr(free.content.size() / 2, 4)};
    const auto whole = ask(*load(), request);
    EXPECT_EQ(whole.end->reason, engine::finish_reason::stop);
    EXPECT_EQ(whole.content, free.content.substr(0, free.content.find(request.stop[0])));
    for (std::size_t k = 1; k <= whole.tokens.size(); ++k) {
        auto rest_request = request;
        rest_request.resume.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(k));
        const auto begun = ask(*load(), request, k);
        const auto rest = ask(*load(), rest_request);
        ASSERT_FALSE(rest.failure) << rest.failure->message;
        EXPECT_EQ(begun.content + rest.content, whole.content) << "stopped after token " << k;
        EXPECT_EQ(rest.end->reason, engine::finish_reason::stop);
    }
}

TEST_F(engine_test, AnAnswerThatEndedByAStopStringIsNotGivenTwice) {
    auto request = completion("Count: 1 2 3", 40);
    const auto free = ask(*load(), request);
    request.stop = {free.content.substr(free.content.size() / 2, 4)};
    const auto whole = ask(*load(), request);
    ASSERT_EQ(whole.end->reason, engine::finish_reason::stop);
    request.resume = whole.tokens;
    const auto rest = ask(*load(), request);
    ASSERT_FALSE(rest.failure) << rest.failure->message;
    ASSERT_TRUE(rest.end);
    EXPECT_EQ(rest.end->reason, engine::finish_reason::stop);
    EXPECT_EQ(rest.content, "");
    EXPECT_TRUE(rest.tokens.empty());
    EXPECT_EQ(rest.end->usage.completion_tokens, whole.end->usage.completion_tokens);

    request.resume.push_back(whole.tokens.back());
    const auto beyond = ask(*load(), request);
    ASSERT_TRUE(beyond.failure);
    EXPECT_TRUE(*beyond.failure == engine::errc::invalid_request);
}

TEST_F(engine_test, AnAnswerThatFilledTheContextIsWhole) {
    const engine_options small{.context = 48, .slots = 1};
    auto request = completion("Hello there", 1000);
    const auto free = ask(*load(small), request);
    ASSERT_GT(free.content.size(), 8U);
    // Without a stop string, and with one whose beginning is the end of the answer: held back until it is over.
    for (const auto& stop : {std::string(), free.content.substr(free.content.size() - 2) + "never"}) {
        request.stop.clear();
        if (!stop.empty()) {
            request.stop = {stop};
        }
        request.resume.clear();
        const auto whole = ask(*load(small), request);
        ASSERT_TRUE(whole.end);
        EXPECT_EQ(whole.end->reason, engine::finish_reason::length);
        EXPECT_EQ(whole.content, free.content);
        for (const std::size_t missing : {0U, 1U, 2U}) {
            const auto k = whole.tokens.size() - missing;
            auto begun_request = request;
            const auto begun = ask(*load(small), begun_request, k);
            request.resume.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(k));
            const auto rest = ask(*load(small), request);
            request.resume.clear();
            ASSERT_FALSE(rest.failure) << rest.failure->message;
            ASSERT_TRUE(rest.end);
            EXPECT_EQ(rest.end->reason, engine::finish_reason::length);
            EXPECT_EQ(rest.tokens.size(), missing);
            EXPECT_EQ(begun.content + rest.content, whole.content) << missing << " missing, stop \"" << stop << '"';
            EXPECT_EQ(rest.end->usage.prompt_tokens + rest.end->usage.completion_tokens, 48);
        }
    }
}

TEST_F(engine_test, MoreThanTheContextHoldsIsNotResumed) {
    const engine_options small{.context = 48, .slots = 1};
    auto request = completion("Hello there", 1000);
    request.resume = ask(*load(small), request).tokens;
    request.resume.push_back(request.resume.back());
    const auto refused = ask(*load(small), request);
    ASSERT_TRUE(refused.failure);
    EXPECT_TRUE(*refused.failure == engine::errc::prompt_too_long) << refused.failure->message;
}

TEST_F(engine_test, TheSeedDecidesTheDraw) {
    const auto generator = load();
    auto request = completion("The", 16);
    request.sampling.temperature = 1.5F;
    request.sampling.seed = 1;
    const auto first = ask(*generator, request);
    EXPECT_EQ(ask(*generator, request).tokens, first.tokens);
    request.sampling.seed = 2;
    EXPECT_NE(ask(*generator, request).tokens, first.tokens);
}

TEST_F(engine_test, ALogitBiasForbidsAToken) {
    const auto generator = load();
    auto request = completion("The", 1);
    const auto liked = ask(*generator, request).tokens.at(0);
    request.sampling.logit_bias = {{liked, -100.0F}};
    EXPECT_NE(ask(*generator, request).tokens.at(0), liked);
}

TEST_F(engine_test, LogprobsAreADistribution) {
    const auto generator = load();
    auto request = chat("Tell me a story about a bird.");
    request.max_tokens = 4;
    request.logprobs = 5;
    const auto answer = ask(*generator, request);
    ASSERT_EQ(answer.emitted.size(), 4U);
    for (const auto& token : answer.emitted) {
        ASSERT_TRUE(token.logprob);
        ASSERT_EQ(token.alternatives.size(), 5U);
        EXPECT_EQ(token.alternatives[0].id, token.id);  // greedy
        EXPECT_FLOAT_EQ(token.alternatives[0].logprob, *token.logprob);
        double sum = 0.0;
        for (const auto& alternative : token.alternatives) {
            sum += std::exp(alternative.logprob);
        }
        EXPECT_LE(sum, 1.0001);
    }
}

TEST_F(engine_test, AGrammarConstrainsTheAnswer) {
    auto request = completion("Answer:", 8);
    request.ignore_end = false;
    request.grammar = R"(root ::= "yes" | "no")";
    const auto answer = ask(*load(), request);
    EXPECT_TRUE(answer.content == "yes" || answer.content == "no") << answer.content;

    request.grammar = "root ::= (";
    const auto refused = ask(*load(), request);
    ASSERT_TRUE(refused.failure);
    EXPECT_TRUE(*refused.failure == engine::errc::invalid_request);
    request.grammar = "%llguidance {}";
    EXPECT_TRUE(ask(*load(), request).failure);
}

TEST_F(engine_test, AJsonSchemaConstrainsAChat) {
    auto request = chat("Give me a person as JSON.");
    auto& prompt = std::get<engine::chat_prompt>(request.prompt);
    prompt.format = engine::output_format::json_schema;
    prompt.json_schema =
        R"({"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],"additionalProperties":false})";
    request.max_tokens = 64;
    const auto answer = ask(*load(), request);
    ASSERT_FALSE(answer.failure) << answer.failure->message;
    EXPECT_NE(answer.content.find("\"ok\""), std::string::npos) << answer.content;
    EXPECT_EQ(answer.content.front(), '{');
}

TEST_F(engine_test, ARequiredToolIsCalledEvenIfTheModelWouldRatherTalk) {
    auto request = chat("Tell me a story about a fox.");
    auto& prompt = std::get<engine::chat_prompt>(request.prompt);
    prompt.tools.push_back(
        {.name = "get_weather",
         .description = "Weather of a city",
         .parameters = R"({"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]})"});
    prompt.tool_choice = engine::tool_choice::required;
    request.max_tokens = 200;
    const auto answer = ask(*load(), request);
    ASSERT_FALSE(answer.failure) << answer.failure->message;
    ASSERT_EQ(answer.calls.size(), 1U) << answer.bytes;
    EXPECT_EQ(answer.calls[0].name, "get_weather");
    EXPECT_TRUE(answer.calls[0].id.starts_with("call_"));
    EXPECT_EQ(answer.end->reason, engine::finish_reason::tool_calls);
}

TEST_F(engine_test, TooLongAPromptIsRefusedWithTheNumbers) {
    const auto generator = load({.context = 64});
    const auto refused = ask(*generator, completion(long_text(200), 4));
    ASSERT_TRUE(refused.failure);
    EXPECT_TRUE(*refused.failure == engine::errc::prompt_too_long);
    EXPECT_NE(refused.failure->message.find("64"), std::string::npos);
}

TEST_F(engine_test, AFullContextEndsTheAnswer) {
    const auto generator = load({.context = 48, .slots = 2});
    const auto answer = ask(*generator, completion("Hello there", 1000));
    ASSERT_TRUE(answer.end);
    EXPECT_EQ(answer.end->reason, engine::finish_reason::length);
    EXPECT_EQ(answer.end->usage.prompt_tokens + answer.end->usage.completion_tokens, 48);
}

TEST_F(engine_test, MoreRequestsThanSlotsAreAllAnswered) {
    const auto generator = load({.context = 256, .slots = 3});
    std::vector<engine::generate_request> requests;
    for (int i = 0; i < 10; ++i) {
        requests.push_back(
            completion("Story " + std::to_string(i) + ": " + long_text(static_cast<std::size_t>(i) * 8), 12));
    }
    for (const auto& answer : ask_all(*generator, requests)) {
        ASSERT_FALSE(answer.failure) << answer.failure->message;
        EXPECT_EQ(answer.tokens.size(), 12U);
    }
    EXPECT_TRUE(becomes_idle(*generator));
}

TEST_F(engine_test, AFullQueueRefuses) {
    const auto generator = load({.context = 512, .slots = 1, .queue_limit = 2});
    std::vector<engine::generate_request> requests(8, completion("Hello", 64));
    int refused = 0;
    for (const auto& answer : ask_all(*generator, requests)) {
        if (answer.failure) {
            EXPECT_TRUE(*answer.failure == engine::errc::queue_full) << answer.failure->message;
            ++refused;
        }
    }
    EXPECT_GE(refused, 4);
    EXPECT_LT(refused, 8);
}

TEST_F(engine_test, APrefixIsReusedOnTheSameSlotAndAcrossSlots) {
    const auto generator = load({.context = 1024, .slots = 3});
    const std::string shared = long_text(120);
    const auto first = ask(*generator, completion(shared + "first", 4));
    EXPECT_EQ(first.end->usage.cached_tokens, 0);
    const auto again = ask(*generator, completion(shared + "again", 4));
    EXPECT_GT(again.end->usage.cached_tokens, 200);
    const auto both = ask_all(
        *generator, {completion(shared + "one", 4), completion(shared + "two", 4), completion(shared + "three", 4)});
    for (const auto& answer : both) {
        EXPECT_GT(answer.end->usage.cached_tokens, 200);
    }
}

TEST_F(engine_test, RequestsThatArriveTogetherComputeASharedPrefixOnce) {
    const auto generator = load({.context = 1024, .slots = 4});
    const std::string shared = long_text(120);
    std::vector<engine::generate_request> requests;
    for (int i = 0; i < 4; ++i) {
        requests.push_back(completion(shared + std::to_string(i), 4));
    }
    int cached = 0;
    for (const auto& answer : ask_all(*generator, requests)) {
        cached += answer.end->usage.cached_tokens > 200 ? 1 : 0;
    }
    EXPECT_EQ(cached, 3);
}

// A real answer, not noise: where two tokens are equally likely, the last bits of a differently cut batch decide.
TEST_F(engine_test, ReuseDoesNotChangeTheAnswer) {
    const auto request = chat("Tell me a story about a bird.");
    const auto fresh = ask(*load(), request);
    const auto generator = load();
    ask(*generator, chat("Tell me a story about a bear."));
    for (int round = 0; round < 2; ++round) {
        const auto again = ask(*generator, request);
        EXPECT_GT(again.end->usage.cached_tokens, 0);
        EXPECT_EQ(again.content, fresh.content);
    }
}

TEST_F(engine_test, AStreamThatIsDroppedFreesItsSlot) {
    const auto generator = load({.context = 2048, .slots = 1});
    ask(*generator, completion("Go on and on", 2000), 3);
    EXPECT_TRUE(becomes_idle(*generator));
    EXPECT_EQ(generator->load().cancelled, 1U);
    EXPECT_TRUE(ask(*generator, completion("Next", 4)).end);
}

engine::awaitable<void> read_late(engine::generator& from, engine::generate_request request, std::size_t& tokens) {
    auto stream = co_await from.generate(std::move(request), aio::call_context("slow"));
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(700));
    co_await timer.async_wait(boost::asio::use_awaitable);
    for (;;) {
        auto event = co_await (*stream)->next();
        if (!event || std::holds_alternative<engine::finished>(*event)) {
            co_return;
        }
        tokens += std::get<engine::chunk>(*event).tokens.size();
    }
}

TEST_F(engine_test, ASlowReaderGetsEverythingAndHoldsUpNobody) {
    const auto generator = load({.context = 1024, .slots = 2});
    boost::asio::io_context io;
    std::size_t tokens = 0;
    auto slow =
        boost::asio::co_spawn(io, read_late(*generator, completion("Slow", 600), tokens), boost::asio::use_future);
    auto quick =
        boost::asio::co_spawn(io, gather(*generator, completion("Quick", 8), SIZE_MAX), boost::asio::use_future);
    io.run();
    slow.get();
    EXPECT_EQ(quick.get().tokens.size(), 8U);
    EXPECT_EQ(tokens, 600U);
}

engine::awaitable<result<engine::stream_event>> read_one(engine::token_stream& from, std::size_t& tokens) {
    auto event = co_await from.next();
    if (event && std::holds_alternative<engine::chunk>(*event)) {
        tokens += std::get<engine::chunk>(*event).tokens.size();
    }
    co_return event;
}

/// Two streams around an idle slot, read so slowly that both wait for their reader again and again, often together.
engine::awaitable<void> read_in_step(engine::generator& from, std::vector<engine::generate_request> requests,
                                     std::array<std::size_t, 3>& tokens) {
    std::vector<std::unique_ptr<engine::token_stream>> streams;
    for (auto& request : requests) {
        auto stream = co_await from.generate(std::move(request), aio::call_context("in step"));
        streams.push_back(std::move(*stream));
    }
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const auto pause = [&timer](auto time) {
        timer.expires_after(time);
        return timer.async_wait(boost::asio::use_awaitable);
    };
    std::array<bool, 3> open{true, true, true};
    while (open[1]) {
        const auto event = co_await read_one(*streams[1], tokens[1]);
        open[1] = event && !std::holds_alternative<engine::finished>(*event);
    }
    for (std::uint64_t before = 1, after = 0; before != after; after = from.load().generated_tokens) {
        before = from.load().generated_tokens;
        co_await pause(std::chrono::milliseconds(200));
    }
    for (int round = 0; open[0] || open[2]; ++round) {
        for (const std::size_t i : {0U, 2U}) {
            if (open[i]) {
                const auto event = co_await read_one(*streams[i], tokens[i]);
                open[i] = event && !std::holds_alternative<engine::finished>(*event);
            }
        }
        if (round < 300) {
            co_await pause(std::chrono::milliseconds(3));
        }
    }
}

TEST_F(engine_test, StreamsThatPauseTogetherLeaveTheIdleSlotBetweenThemAlone) {
    const auto generator = load({.context = 1024, .slots = 3});
    boost::asio::io_context io;
    std::array<std::size_t, 3> tokens{};
    auto done = boost::asio::co_spawn(
        io,
        read_in_step(*generator, {completion("First", 600), completion("Second", 4), completion("Third", 600)}, tokens),
        boost::asio::use_future);
    io.run();
    done.get();
    EXPECT_EQ(tokens, (std::array<std::size_t, 3>{600, 4, 600}));
}

/// The rest of one prompt and the beginning of the next fill a step to the last token, on both sides of an idle slot.
TEST_F(engine_test, PromptsThatFillAStepAroundAnIdleSlotAreAnswered) {
    const auto generator = load({.context = 2048, .slots = 3});
    const auto words = [](int count) {
        std::string out;
        for (int i = 0; i < count; ++i) {
            out += i % 7 == 0 ? " stone" : " river";
        }
        return out;
    };
    for (int round = 0; round < 6; ++round) {
        const auto mark = std::to_string(round);
        ask_all(*generator, {completion("one" + mark, 2), completion("two" + mark, 2), completion("three" + mark, 2)});
        const auto both = ask_all(*generator, {completion("one" + mark + words(258 + 6 * round), 2),
                                               completion("three" + mark + words(400), 2)});
        for (const auto& answer : both) {
            ASSERT_TRUE(answer.end) << answer.failure->message;
        }
    }
}

TEST_F(engine_test, StoppingTheEngineEndsItsStreams) {
    auto generator = load({.context = 2048, .slots = 1});
    boost::asio::io_context io;
    auto answer =
        boost::asio::co_spawn(io, gather(*generator, completion("Go on", 2000), SIZE_MAX), boost::asio::use_future);
    std::thread reader([&] { io.run(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    generator.reset();
    reader.join();
    const auto got = answer.get();
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == engine::errc::unavailable);
}

TEST_F(engine_test, EmbeddingsHaveLengthOne) {
    const auto generator = load();
    boost::asio::io_context io;
    engine::embed_request request;
    request.inputs = {std::string("a bird"), std::string("a bird"), std::string("quantum physics")};
    auto future = boost::asio::co_spawn(io, generator->embed(request, {}), boost::asio::use_future);
    io.run();
    const auto embedded = future.get();
    ASSERT_TRUE(embedded) << embedded.error().message;
    ASSERT_EQ(embedded->vectors.size(), 3U);
    const auto dot = [&](std::size_t a, std::size_t b) {
        double sum = 0.0;
        for (std::size_t i = 0; i < embedded->vectors[a].size(); ++i) {
            sum += static_cast<double>(embedded->vectors[a][i]) * embedded->vectors[b][i];
        }
        return sum;
    };
    EXPECT_NEAR(dot(0, 0), 1.0, 1e-4);
    EXPECT_NEAR(dot(0, 1), 1.0, 1e-3);
    EXPECT_LT(dot(0, 2), 0.999);
}

TEST(LoadEngine, SaysWhyAFileCannotBeLoaded) {
    const auto missing = load_engine({.id = "x", .path = "/nonexistent/model.gguf"});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nonexistent/model.gguf"), std::string::npos);
}

TEST(Devices, TheProcessorIsOne) {
    const auto found = devices();
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const device_info& d) { return d.kind == "cpu"; }));
}

}  // namespace
}  // namespace starling::llama
