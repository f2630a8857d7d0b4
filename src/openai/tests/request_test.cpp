#include "openai/request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace starling::openai {
namespace {

constexpr std::uint64_t given_seed = 4711;

std::string chat(std::string_view more) {
    return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + std::string(more.empty() ? "" : ",") +
           std::string(more) + "}";
}

std::string completion(std::string_view more) {
    return R"({"model":"m","prompt":"once")" + std::string(more.empty() ? "" : ",") + std::string(more) + "}";
}

const engine::chat_prompt& prompt_of(const parsed<chat_request>& request) {
    return std::get<engine::chat_prompt>(request->generate.prompt);
}

TEST(chat_request, the_smallest_request_has_the_defaults_of_the_api) {
    const auto request = parse_chat_request(chat(""), given_seed);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->generate.model, "m");
    EXPECT_EQ(request->generate.sampling.seed, given_seed);
    EXPECT_FLOAT_EQ(request->generate.sampling.temperature, 1.0F);
    EXPECT_FLOAT_EQ(request->generate.sampling.top_p, 1.0F);
    EXPECT_EQ(request->choices, 1);
    EXPECT_FALSE(request->generate.max_tokens);
    EXPECT_FALSE(request->generate.logprobs);
    EXPECT_FALSE(request->streaming.stream);
    EXPECT_EQ(prompt_of(request).messages.size(), 1U);
    EXPECT_EQ(prompt_of(request).format, engine::output_format::text);
}

TEST(chat_request, every_field_is_read) {
    const auto request = parse_chat_request(
        chat(R"("temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":32,
                "frequency_penalty":-1,"presence_penalty":1.5,"seed":7,"n":3,"max_tokens":10,"max_completion_tokens":20,
                "stop":["a","b"],"logit_bias":{"5":-100,"6":1.5},"logprobs":true,"top_logprobs":4,"stream":true,
                "stream_options":{"include_usage":true},"user":"me","ignore_eos":true,"metadata":{"x":1},
                "chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"low")"),
        given_seed);
    ASSERT_TRUE(request.has_value()) << request.error().why.message;
    const auto& s = request->generate.sampling;
    EXPECT_FLOAT_EQ(s.temperature, 0.5F);
    EXPECT_FLOAT_EQ(s.top_p, 0.9F);
    EXPECT_EQ(s.top_k, 40);
    EXPECT_FLOAT_EQ(s.min_p, 0.05F);
    EXPECT_FLOAT_EQ(s.repeat_penalty, 1.1F);
    EXPECT_EQ(s.penalty_last_n, 32);
    EXPECT_FLOAT_EQ(s.frequency_penalty, -1.0F);
    EXPECT_FLOAT_EQ(s.presence_penalty, 1.5F);
    EXPECT_EQ(s.seed, 7U);
    ASSERT_EQ(s.logit_bias.size(), 2U);
    EXPECT_EQ(s.logit_bias[0], std::pair(5, -100.0F));
    EXPECT_EQ(request->choices, 3);
    EXPECT_EQ(request->generate.max_tokens, 20) << "the newer name wins";
    EXPECT_EQ(request->generate.stop, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(request->generate.logprobs, 4);
    EXPECT_TRUE(request->generate.ignore_end);
    EXPECT_TRUE(request->streaming.stream);
    EXPECT_TRUE(request->streaming.include_usage);
    const auto& arguments = prompt_of(request).template_arguments;
    ASSERT_EQ(arguments.size(), 2U);
    EXPECT_EQ(arguments[0], std::pair(std::string("enable_thinking"), std::string("false")));
    EXPECT_EQ(arguments[1], std::pair(std::string("reasoning_effort"), std::string("\"low\"")));
}

TEST(chat_request, null_is_the_same_as_absent) {
    const auto request = parse_chat_request(
        chat(R"("temperature":null,"n":null,"stop":null,"seed":null,"tools":null,"tool_choice":null,"stream":null,
                "stream_options":null,"logprobs":null,"response_format":null,"max_tokens":null,"logit_bias":null)"),
        given_seed);
    ASSERT_TRUE(request.has_value()) << request.error().why.message;
    EXPECT_EQ(request->generate.sampling.seed, given_seed);
}

TEST(chat_request, seeds_of_any_size_and_sign_are_taken) {
    EXPECT_EQ(parse_chat_request(chat(R"("seed":18446744073709551615)"), 0)->generate.sampling.seed, ~std::uint64_t{0});
    EXPECT_EQ(parse_chat_request(chat(R"("seed":-1)"), 0)->generate.sampling.seed, ~std::uint64_t{0});
    EXPECT_EQ(parse_chat_request(chat(R"("seed":42.0)"), 0)->generate.sampling.seed, 42U);
}

TEST(chat_request, roles_parts_and_tool_turns_are_read) {
    const auto request = parse_chat_request(R"({"messages":[
        {"role":"developer","content":"be kind"},
        {"role":"user","name":"ann","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"42"},
        {"role":"assistant","content":"done","reasoning_content":"hm"}]})",
                                            0);
    ASSERT_TRUE(request.has_value()) << request.error().why.message;
    const auto& messages = prompt_of(request).messages;
    ASSERT_EQ(messages.size(), 5U);
    EXPECT_EQ(messages[0].role, engine::role::system);
    EXPECT_EQ(messages[1].content, "ab");
    EXPECT_EQ(messages[1].name, "ann");
    ASSERT_EQ(messages[2].tool_calls.size(), 1U);
    EXPECT_EQ(messages[2].tool_calls[0].id, "c1");
    EXPECT_EQ(messages[2].tool_calls[0].arguments, "{\"x\":1}");
    EXPECT_EQ(messages[3].role, engine::role::tool);
    EXPECT_EQ(messages[3].tool_call_id, "c1");
    EXPECT_EQ(messages[4].reasoning, "hm");
    EXPECT_TRUE(request->generate.model.empty());
}

constexpr std::string_view two_tools =
    R"("tools":[{"type":"function","function":{"name":"one","description":"d","parameters":{"type":"object","b":1,"a":2}}},
                {"type":"function","function":{"name":"two"}}])";

TEST(chat_request, tools_keep_the_order_of_their_schema) {
    const auto request = parse_chat_request(chat(std::string(two_tools) + R"(,"parallel_tool_calls":true)"), 0);
    ASSERT_TRUE(request.has_value()) << request.error().why.message;
    const auto& prompt = prompt_of(request);
    ASSERT_EQ(prompt.tools.size(), 2U);
    EXPECT_EQ(prompt.tools[0].parameters, R"({"type":"object","b":1,"a":2})");
    EXPECT_EQ(prompt.tools[1].parameters, "{}");
    EXPECT_EQ(prompt.tool_choice, engine::tool_choice::automatic);
    EXPECT_TRUE(prompt.parallel_tool_calls);
}

TEST(chat_request, tool_choice_has_four_forms) {
    const auto with = [](std::string_view choice) {
        return parse_chat_request(chat(std::string(two_tools) + R"(,"tool_choice":)" + std::string(choice)), 0);
    };
    EXPECT_EQ(prompt_of(with(R"("auto")")).tool_choice, engine::tool_choice::automatic);
    EXPECT_EQ(prompt_of(with(R"("none")")).tool_choice, engine::tool_choice::none);
    EXPECT_EQ(prompt_of(with(R"("required")")).tool_choice, engine::tool_choice::required);
    const auto named = with(R"({"type":"function","function":{"name":"two"}})");
    EXPECT_EQ(prompt_of(named).tool_choice, engine::tool_choice::required);
    ASSERT_EQ(prompt_of(named).tools.size(), 1U);
    EXPECT_EQ(prompt_of(named).tools[0].name, "two");
}

TEST(chat_request, response_formats_are_read) {
    EXPECT_EQ(prompt_of(parse_chat_request(chat(R"("response_format":{"type":"text"})"), 0)).format,
              engine::output_format::text);
    EXPECT_EQ(prompt_of(parse_chat_request(chat(R"("response_format":{"type":"json_object"})"), 0)).format,
              engine::output_format::json_object);
    const auto schema = parse_chat_request(
        chat(
            R"("response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object"}}})"),
        0);
    EXPECT_EQ(prompt_of(schema).format, engine::output_format::json_schema);
    EXPECT_EQ(prompt_of(schema).json_schema, R"({"type":"object"})");
}

struct bad_input {
    std::string body;
    errc code;
    std::string param;
};

void expect_complaint(const bad_input& bad, const complaint& found) {
    EXPECT_TRUE(found.why == bad.code) << bad.body << "\n" << found.why.message;
    EXPECT_EQ(found.param, bad.param) << bad.body;
    EXPECT_FALSE(found.why.message.empty());
    EXPECT_EQ(found.why.message.back(), '.') << found.why.message;
}

class bad_chat : public ::testing::TestWithParam<bad_input> {};

TEST_P(bad_chat, is_a_complaint_about_the_right_field) {
    const auto request = parse_chat_request(GetParam().body, 0);
    ASSERT_TRUE(request.has_error()) << GetParam().body;
    expect_complaint(GetParam(), request.error());
}

bad_input wrong(std::string_view more, std::string param, errc code = errc::invalid_value) {
    return {chat(more), code, std::move(param)};
}

bad_input wrong_messages(std::string_view messages, std::string param, errc code = errc::invalid_value) {
    return {R"({"messages":)" + std::string(messages) + "}", code, std::move(param)};
}

INSTANTIATE_TEST_SUITE_P(
    json, bad_chat,
    ::testing::Values(bad_input{"", errc::malformed_json, ""}, bad_input{"{", errc::malformed_json, ""},
                      bad_input{"{}}", errc::malformed_json, ""},
                      bad_input{"{\"a\":\"\xff\"}", errc::malformed_json, ""},
                      bad_input{"not json", errc::malformed_json, ""},
                      bad_input{std::string(200, '['), errc::malformed_json, ""},
                      bad_input{"[]", errc::invalid_value, ""}, bad_input{"\"text\"", errc::invalid_value, ""},
                      bad_input{"null", errc::invalid_value, ""}, bad_input{"{}", errc::missing_value, "messages"}));

INSTANTIATE_TEST_SUITE_P(
    sampling, bad_chat,
    ::testing::Values(
        wrong(R"("temperature":"hot")", "temperature"), wrong(R"("temperature":-0.1)", "temperature"),
        wrong(R"("temperature":2.1)", "temperature"), wrong(R"("temperature":1e999)", "temperature"),
        wrong(R"("top_p":1.01)", "top_p"), wrong(R"("top_p":[])", "top_p"), wrong(R"("top_k":-2)", "top_k"),
        wrong(R"("top_k":1.5)", "top_k"), wrong(R"("min_p":-1)", "min_p"),
        wrong(R"("repeat_penalty":0)", "repeat_penalty"), wrong(R"("frequency_penalty":3)", "frequency_penalty"),
        wrong(R"("presence_penalty":-2.5)", "presence_penalty"), wrong(R"("seed":"x")", "seed"),
        wrong(R"("seed":1.5)", "seed"), wrong(R"("n":0)", "n"), wrong(R"("n":9)", "n"), wrong(R"("n":true)", "n"),
        wrong(R"("max_tokens":0)", "max_tokens"), wrong(R"("max_tokens":-1)", "max_tokens"),
        wrong(R"("max_tokens":"10")", "max_tokens"), wrong(R"("max_tokens":99999999999)", "max_tokens"),
        wrong(R"("max_tokens":18446744073709551615)", "max_tokens"),
        wrong(R"("max_completion_tokens":0.5)", "max_completion_tokens"), wrong(R"("logit_bias":[])", "logit_bias"),
        wrong(R"("logit_bias":{"a":1})", "logit_bias.a"), wrong(R"("logit_bias":{"-1":1})", "logit_bias.-1"),
        wrong(R"("logit_bias":{"5":101})", "logit_bias.5"), wrong(R"("logit_bias":{"5":"x"})", "logit_bias.5"),
        wrong(R"("logit_bias":{"99999999999":1})", "logit_bias.99999999999")));

INSTANTIATE_TEST_SUITE_P(
    output, bad_chat,
    ::testing::Values(
        wrong(R"("stop":5)", "stop"), wrong(R"("stop":"")", "stop"), wrong(R"("stop":[1])", "stop"),
        wrong(R"("stop":["a",""])", "stop"), wrong(R"("stop":{"a":1})", "stop"),
        wrong(R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])", "stop"),
        wrong("\"stop\":\"" + std::string(2000, 's') + "\"", "stop"), wrong(R"("stream":1)", "stream"),
        wrong(R"("stream":"true")", "stream"), wrong(R"("stream_options":{})", "stream_options"),
        wrong(R"("stream":true,"stream_options":[])", "stream_options"),
        wrong(R"("stream":true,"stream_options":{"include_usage":1})", "stream_options.include_usage"),
        wrong(R"("logprobs":2)", "logprobs"), wrong(R"("top_logprobs":2)", "top_logprobs"),
        wrong(R"("logprobs":true,"top_logprobs":21)", "top_logprobs"),
        wrong(R"("logprobs":true,"top_logprobs":-1)", "top_logprobs"), wrong(R"("model":5)", "model"),
        wrong(R"("response_format":"json")", "response_format"),
        wrong(R"("response_format":{})", "response_format.type", errc::missing_value),
        wrong(R"("response_format":{"type":"xml"})", "response_format.type"),
        wrong(R"("response_format":{"type":"json_schema"})", "response_format.json_schema", errc::missing_value),
        wrong(R"("response_format":{"type":"json_schema","json_schema":{"name":"x"}})",
              "response_format.json_schema.schema", errc::missing_value),
        wrong(R"("response_format":{"type":"json_schema","json_schema":{"schema":"x"}})",
              "response_format.json_schema.schema"),
        wrong(R"("ignore_eos":"yes")", "ignore_eos"), wrong(R"("reasoning_effort":1)", "reasoning_effort"),
        wrong(R"("chat_template_kwargs":[])", "chat_template_kwargs"),
        wrong(R"("grammar":"root ::= \"a\"","response_format":{"type":"json_object"})", "grammar")));

INSTANTIATE_TEST_SUITE_P(
    tools, bad_chat,
    ::testing::Values(
        wrong(R"("tools":{})", "tools"), wrong(R"("tools":[1])", "tools[0]"),
        wrong(R"("tools":[{}])", "tools[0].type", errc::missing_value),
        wrong(R"("tools":[{"type":"web_search"}])", "tools[0].type", errc::unsupported_value),
        wrong(R"("tools":[{"type":"function"}])", "tools[0].function", errc::missing_value),
        wrong(R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name", errc::missing_value),
        wrong(R"("tools":[{"type":"function","function":{"name":"a b"}}])", "tools[0].function.name"),
        wrong(R"("tools":[{"type":"function","function":{"name":"f","parameters":"x"}}])",
              "tools[0].function.parameters"),
        wrong(R"("tool_choice":"required")", "tool_choice"), wrong(R"("tool_choice":"maybe")", "tool_choice"),
        wrong(R"("tool_choice":5)", "tool_choice"),
        wrong(std::string(two_tools) + R"(,"tool_choice":{"type":"function","function":{"name":"three"}})",
              "tool_choice"),
        wrong(std::string(two_tools) + R"(,"tool_choice":{"type":"function"})", "tool_choice.function",
              errc::missing_value),
        wrong(R"("functions":[])", "functions", errc::unsupported_value),
        wrong(R"("function_call":"auto")", "function_call", errc::unsupported_value),
        wrong(R"("parallel_tool_calls":"x")", "parallel_tool_calls")));

INSTANTIATE_TEST_SUITE_P(
    messages, bad_chat,
    ::testing::Values(
        wrong_messages("null", "messages", errc::missing_value), wrong_messages("{}", "messages"),
        wrong_messages("[]", "messages"), wrong_messages("[\"hi\"]", "messages[0]"),
        wrong_messages("[{}]", "messages[0].role", errc::missing_value),
        wrong_messages(R"([{"role":"robot","content":"x"}])", "messages[0].role"),
        wrong_messages(R"([{"role":1,"content":"x"}])", "messages[0].role"),
        wrong_messages(R"([{"role":"user"}])", "messages[0].content", errc::missing_value),
        wrong_messages(R"([{"role":"user","content":5}])", "messages[0].content"),
        wrong_messages(R"([{"role":"user","content":["x"]}])", "messages[0].content[0]"),
        wrong_messages(R"([{"role":"user","content":[{"type":"text"}]}])", "messages[0].content[0].text",
                       errc::missing_value),
        wrong_messages(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}])",
                       "messages[0].content[0].type", errc::unsupported_value),
        wrong_messages(R"([{"role":"user","content":[{"type":"video"}]}])", "messages[0].content[0].type"),
        wrong_messages(R"([{"role":"assistant","content":null}])", "messages[0].content", errc::missing_value),
        wrong_messages(R"([{"role":"tool","content":"x"}])", "messages[0].tool_call_id", errc::missing_value),
        wrong_messages(R"([{"role":"assistant","tool_calls":[{"id":"c"}]}])", "messages[0].tool_calls[0].function",
                       errc::missing_value),
        wrong_messages(R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]}])",
                       "messages[0].tool_calls[0].function.arguments"),
        wrong_messages(R"([{"role":"assistant","tool_calls":"x"}])", "messages[0].tool_calls"),
        wrong_messages(R"([{"role":"user","content":"a"},{"role":"user","content":false}])", "messages[1].content")));

TEST(completion_request, prompts_have_four_forms) {
    const auto count = [](std::string_view prompt) {
        const auto request = parse_completion_request(R"({"prompt":)" + std::string(prompt) + "}", 0);
        return request.has_value() ? request->generate.size() : 0U;
    };
    EXPECT_EQ(count(R"("text")"), 1U);
    EXPECT_EQ(count(R"("")"), 1U);
    EXPECT_EQ(count(R"(["a","b"])"), 2U);
    EXPECT_EQ(count("[1,2,3]"), 1U);
    EXPECT_EQ(count("[[1,2],[3]]"), 2U);
    const auto tokens = parse_completion_request(R"({"prompt":[5,6]})", 0);
    EXPECT_EQ(std::get<engine::token_prompt>(tokens->generate[0].prompt).tokens, (std::vector<engine::token_id>{5, 6}));
    std::string many = "[0";
    for (int i = 1; i < 5000; ++i) {
        many += "," + std::to_string(i);
    }
    EXPECT_EQ(count(many + "]"), 1U) << "a long prompt of tokens is one prompt";
}

TEST(completion_request, extensions_and_defaults) {
    const auto request = parse_completion_request(
        completion(R"("echo":true,"grammar":"root ::= \"a\"","n":2,"stream":true,"seed":9,"best_of":2,"suffix":"")"),
        0);
    ASSERT_TRUE(request.has_value()) << request.error().why.message;
    EXPECT_TRUE(request->echo);
    EXPECT_EQ(request->choices, 2);
    EXPECT_EQ(request->generate[0].grammar, "root ::= \"a\"");
    EXPECT_EQ(request->generate[0].max_tokens, default_completion_tokens);
    EXPECT_EQ(parse_completion_request(completion(R"("logprobs":0)"), 0)->generate[0].logprobs, 0);
}

class bad_completion : public ::testing::TestWithParam<bad_input> {};

TEST_P(bad_completion, is_a_complaint_about_the_right_field) {
    const auto request = parse_completion_request(GetParam().body, 0);
    ASSERT_TRUE(request.has_error()) << GetParam().body;
    expect_complaint(GetParam(), request.error());
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_completion,
    ::testing::Values(bad_input{"{}", errc::missing_value, "prompt"},
                      bad_input{R"({"prompt":5})", errc::invalid_value, "prompt"},
                      bad_input{R"({"prompt":[]})", errc::invalid_value, "prompt"},
                      bad_input{R"({"prompt":{}})", errc::invalid_value, "prompt"},
                      bad_input{R"({"prompt":["a",5]})", errc::invalid_value, "prompt[1]"},
                      bad_input{R"({"prompt":[1,"a"]})", errc::invalid_value, "prompt"},
                      bad_input{R"({"prompt":[[]]})", errc::invalid_value, "prompt[0]"},
                      bad_input{R"({"prompt":[-1]})", errc::invalid_value, "prompt"},
                      bad_input{R"({"prompt":[1.5]})", errc::invalid_value, "prompt[0]"},
                      bad_input{R"({"prompt":["a","b","c","d","e"],"n":8})", errc::invalid_value, "n"},
                      bad_input{completion(R"("suffix":"end")"), errc::unsupported_value, "suffix"},
                      bad_input{completion(R"("best_of":3)"), errc::unsupported_value, "best_of"},
                      bad_input{completion(R"("logprobs":true)"), errc::invalid_value, "logprobs"},
                      bad_input{completion(R"("echo":1)"), errc::invalid_value, "echo"},
                      bad_input{completion(R"("echo":true,"logprobs":1)"), errc::unsupported_value, "echo"},
                      bad_input{R"({"prompt":[1],"echo":true})", errc::unsupported_value, "echo"},
                      bad_input{completion("\"grammar\":\"" + std::string(70'000, 'g') + "\""), errc::invalid_value,
                                "grammar"}));

TEST(embeddings_request, inputs_have_four_forms) {
    const auto inputs = [](std::string_view input) {
        const auto request = parse_embeddings_request(R"({"input":)" + std::string(input) + "}");
        return request.has_value() ? request->embed.inputs.size() : 0U;
    };
    EXPECT_EQ(inputs(R"("a")"), 1U);
    EXPECT_EQ(inputs(R"(["a","b"])"), 2U);
    EXPECT_EQ(inputs("[1,2]"), 1U);
    EXPECT_EQ(inputs("[[1],[2,3]]"), 2U);
    const auto request =
        parse_embeddings_request(R"({"model":"m","input":"a","encoding_format":"base64","dimensions":8})");
    EXPECT_EQ(request->encoding, embedding_encoding::base64);
    EXPECT_EQ(request->dimensions, 8);
}

TEST(embeddings_request, bad_input_is_a_complaint_about_the_right_field) {
    for (const auto& bad :
         {bad_input{"{}", errc::missing_value, "input"}, bad_input{R"({"input":""})", errc::invalid_value, "input"},
          bad_input{R"({"input":[]})", errc::invalid_value, "input"},
          bad_input{R"({"input":[""]})", errc::invalid_value, "input[0]"},
          bad_input{R"({"input":["a",5]})", errc::invalid_value, "input[1]"},
          bad_input{R"({"input":{}})", errc::invalid_value, "input"},
          bad_input{R"({"input":[[]]})", errc::invalid_value, "input[0]"},
          bad_input{R"({"input":"a","encoding_format":"hex"})", errc::invalid_value, "encoding_format"},
          bad_input{R"({"input":"a","dimensions":0})", errc::invalid_value, "dimensions"}}) {
        const auto request = parse_embeddings_request(bad.body);
        ASSERT_TRUE(request.has_error()) << bad.body;
        expect_complaint(bad, request.error());
    }
}

}  // namespace
}  // namespace starling::openai
