#include "remote/messages.hpp"
#include "wire/errc.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace starling::remote {

const aio::steady_time now{std::chrono::hours(1)};

engine::generate_request full_request() {
    engine::chat_prompt chat;
    chat.messages.push_back({.role = engine::role::system, .content = "Be brief."});
    chat.messages.push_back({.role = engine::role::user, .content = "Wie geht's? \xf0\x9f\xa6\x86"});
    chat.messages.push_back({.role = engine::role::assistant,
                             .content = "",
                             .reasoning = "hm",
                             .tool_calls = {{.id = "c1", .name = "f", .arguments = "{\"a\":1}"}}});
    chat.messages.push_back({.role = engine::role::tool, .content = "42", .tool_call_id = "c1", .name = "f"});
    chat.tools.push_back({.name = "f", .description = "d", .parameters = "{}"});
    chat.tool_choice = engine::tool_choice::required;
    chat.parallel_tool_calls = true;
    chat.format = engine::output_format::json_schema;
    chat.json_schema = "{\"type\":\"object\"}";
    chat.template_arguments = {{"enable_thinking", "false"}};
    engine::generate_request out;
    out.model = "starter";
    out.prompt = chat;
    out.sampling = {.seed = 0xffffffffffffffff,
                    .temperature = 0.7F,
                    .top_p = 0.95F,
                    .top_k = 40,
                    .min_p = 0.05F,
                    .repeat_penalty = 1.1F,
                    .frequency_penalty = -0.5F,
                    .presence_penalty = 0.25F,
                    .penalty_last_n = -1,
                    .logit_bias = {{7, -100.0F}, {9, 1.5F}}};
    out.max_tokens = 12;
    out.stop = {"\n\n", "END"};
    out.grammar = "root ::= \"a\"";
    out.logprobs = 3;
    out.ignore_end = true;
    out.resume = {1, 2, 3};
    return out;
}

TEST(QuestionCodec, EveryFieldOfARequestArrives) {
    const prompt sent{.request = full_request(), .call = aio::call_context("req-1", now + std::chrono::seconds(5))};
    const auto text = to_json(sent, now);
    const auto got = parse_question(text, now + std::chrono::hours(1));  // another clock
    ASSERT_TRUE(got) << got.error().message;
    const auto& arrived = std::get<prompt>(*got);
    EXPECT_EQ(arrived.call.request_id, "req-1");
    EXPECT_EQ(arrived.call.deadline, now + std::chrono::hours(1) + std::chrono::seconds(5));
    const prompt again{.request = arrived.request, .call = sent.call};
    EXPECT_EQ(to_json(again, now), text);
    EXPECT_EQ(arrived.request.sampling.seed, sent.request.sampling.seed);
    EXPECT_EQ(arrived.request.sampling.temperature, 0.7F);
    EXPECT_EQ(arrived.request.sampling.logit_bias, sent.request.sampling.logit_bias);
    EXPECT_EQ(arrived.request.resume, sent.request.resume);
    const auto& chat = std::get<engine::chat_prompt>(arrived.request.prompt);
    EXPECT_EQ(chat.messages[1].content, "Wie geht's? \xf0\x9f\xa6\x86");
    EXPECT_EQ(chat.messages[2].tool_calls[0].arguments, "{\"a\":1}");
    EXPECT_EQ(chat.tool_choice, engine::tool_choice::required);
    EXPECT_EQ(chat.template_arguments,
              (std::vector<std::pair<std::string, std::string>>{{"enable_thinking", "false"}}));
}

TEST(QuestionCodec, TextTokensAndEmbeddingsArrive) {
    engine::generate_request request;
    request.prompt = engine::text_prompt{""};
    const auto text = parse_question(to_json(prompt{request, aio::call_context("a")}, now), now);
    EXPECT_EQ(std::get<engine::text_prompt>(std::get<prompt>(*text).request.prompt).text, "");
    EXPECT_EQ(std::get<prompt>(*text).call.deadline, aio::steady_time::max());
    request.prompt = engine::token_prompt{{5, 6}};
    const auto tokens = parse_question(to_json(prompt{request, aio::call_context("a")}, now), now);
    EXPECT_EQ(std::get<engine::token_prompt>(std::get<prompt>(*tokens).request.prompt).tokens,
              (std::vector<engine::token_id>{5, 6}));
    engine::embed_request vectors;
    vectors.model = "m";
    vectors.inputs.emplace_back("text");
    vectors.inputs.emplace_back(std::vector<engine::token_id>{1, 2});
    const auto got = parse_question(to_json(embed{vectors, aio::call_context("a")}, now), now);
    EXPECT_EQ(std::get<embed>(*got).request.inputs, vectors.inputs);
}

TEST(QuestionCodec, AnOlderAndANewerNodeUnderstandEachOther) {
    const auto older = parse_question(R"({"type":"prompt","model":"m","text":"Hi"})", now);
    ASSERT_TRUE(older);
    EXPECT_EQ(std::get<prompt>(*older).request.sampling.temperature, 1.0F) << "what is missing has its default";
    EXPECT_TRUE(
        parse_question(R"({"type":"prompt","version":1,"text":"Hi","mood":"good","sampling":{"zest":1}})", now));
    EXPECT_TRUE(parse_question(R"({"type":"prompt","version":2,"text":"Hi"})", now).error() == wire::errc::unsupported);
    EXPECT_TRUE(parse_question(R"({"type":"sing"})", now).error() == wire::errc::unsupported);
}

TEST(QuestionCodec, GarbageIsMalformed) {
    for (const char* text : {"", "{", "[]", "7", "null", R"({"type":"prompt"})", R"({"type":"prompt","text":null})"}) {
        EXPECT_FALSE(parse_question(text, now)) << text;
    }
    const auto odd = parse_question(
        R"({"type":"prompt","text":"x","max_tokens":1e99,"stop":7,"resume":["a",1.5],"deadline_ms":-5,"sampling":[]})",
        now);
    ASSERT_TRUE(odd);
    EXPECT_EQ(std::get<prompt>(*odd).request.max_tokens, std::nullopt);
    const auto hot = parse_question(R"({"type":"prompt","text":"x","sampling":{"temperature":1e300}})", now);
    EXPECT_EQ(std::get<prompt>(*hot).request.sampling.temperature, 1.0F) << "no float is so large";
    EXPECT_EQ(std::get<prompt>(*odd).call.deadline, now);
}

template <class T>
T back(const T& sent) {
    const auto got = parse_answer(to_json(answer(sent)));
    EXPECT_TRUE(got);
    return std::get<T>(*got);
}

TEST(AnswerCodec, ChunksArriveWithTheirBytes) {
    engine::chunk sent;
    sent.tokens.push_back({.id = 7, .bytes = "\xf0\x9f", .logprob = -0.25F, .alternatives = {{8, "b", -3.5F}}});
    sent.tokens.push_back({.id = engine::no_token, .bytes = "", .logprob = {}, .alternatives = {}});
    sent.content = "He said \"hi\"\n";
    sent.reasoning = "r";
    sent.tool_calls.push_back({.index = 1, .id = "i", .name = "n", .arguments = "{"});
    const auto got = back(sent);
    ASSERT_EQ(got.tokens.size(), 2U);
    EXPECT_EQ(got.tokens[0].id, 7);
    EXPECT_EQ(got.tokens[0].bytes, "\xf0\x9f");
    EXPECT_EQ(got.tokens[0].logprob, -0.25F);
    EXPECT_EQ(got.tokens[0].alternatives[0].bytes, "b");
    EXPECT_EQ(got.tokens[1].id, engine::no_token);
    EXPECT_FALSE(got.tokens[1].logprob);
    EXPECT_EQ(got.content, sent.content);
    EXPECT_EQ(got.reasoning, "r");
    EXPECT_EQ(got.tool_calls[0].index, 1U);
    EXPECT_EQ(got.tool_calls[0].arguments, "{");
    EXPECT_FALSE(got.replaced);
}

TEST(AnswerCodec, AReplacementArrivesAndWhatNamesNoNodeDoesNot) {
    engine::chunk sent;
    sent.replaced = std::make_shared<const engine::replacement>(
        engine::replacement{.node = std::string(64, 'a'), .cause = "attic: nobody answered"});
    const auto got = back(sent);
    ASSERT_TRUE(got.replaced);
    EXPECT_EQ(got.replaced->node, std::string(64, 'a'));
    EXPECT_EQ(got.replaced->cause, "attic: nobody answered");
    for (const char* odd : {R"("a")", R"({"node":7})", R"({"node":"<b>"})", R"([])", "null"}) {
        const auto parsed = parse_answer(std::string(R"({"type":"inference_delta","replaced":)") + odd + "}");
        ASSERT_TRUE(parsed) << odd;
        EXPECT_FALSE(std::get<engine::chunk>(*parsed).replaced) << odd;
    }
}

TEST(AnswerCodec, TheOtherAnswersArrive) {
    EXPECT_EQ(back(started{.prompt_tokens = 17}).prompt_tokens, 17);
    const auto end = back(engine::finished{.reason = engine::finish_reason::tool_calls,
                                           .usage = {.prompt_tokens = 1, .completion_tokens = 2, .cached_tokens = 3},
                                           .timing = {.queue_ms = 0.5, .prefill_ms = 1.25, .decode_ms = 100.0}});
    EXPECT_EQ(end.reason, engine::finish_reason::tool_calls);
    EXPECT_EQ(end.usage.cached_tokens, 3);
    EXPECT_EQ(end.timing.prefill_ms, 1.25);
    const auto vectors = back(engine::embedding_result{.vectors = {{0.1F, -0.9F}, {}}, .prompt_tokens = 4});
    EXPECT_EQ(vectors.vectors, (std::vector<std::vector<float>>{{0.1F, -0.9F}, {}}));
}

TEST(AnswerCodec, TheEnginesErrorsArriveAndOthersStayHere) {
    const auto full = back(refused{fail(engine::errc::queue_full, "64 requests are waiting.")});
    EXPECT_TRUE(full.why == engine::errc::queue_full);
    EXPECT_EQ(full.why.message, "64 requests are waiting.");
    const auto hidden = back(refused{fail(wire::errc::malformed, "/secret/path")});
    EXPECT_TRUE(hidden.why == engine::errc::internal);
    EXPECT_EQ(hidden.why.message.find("secret"), std::string::npos);
    const auto internal = back(refused{fail(engine::errc::internal, "/secret/path")});
    EXPECT_EQ(internal.why.message.find("secret"), std::string::npos);
}

}  // namespace starling::remote
