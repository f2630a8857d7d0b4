#include "upstream/answer_codec.hpp"
#include "upstream/endpoint.hpp"
#include "upstream/request_codec.hpp"
#include "upstream/usage_counters.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace starling::upstream {
namespace {

namespace json = boost::json;

struct decoded {
    std::string content;
    std::string reasoning;
    std::vector<engine::tool_call_delta> calls;
    std::vector<engine::emitted_token> tokens;
    std::vector<engine::finished> finished;
    std::optional<error> failed;
};

decoded decode(std::string_view text) {
    answer_decoder decoder;
    std::vector<engine::stream_event> events;
    auto done = decoder.feed(text, events);
    if (done) {
        done = decoder.finish(events);
    }
    decoded out;
    for (auto& event : events) {
        if (auto* chunk = std::get_if<engine::chunk>(&event)) {
            out.content += chunk->content;
            out.reasoning += chunk->reasoning;
            out.calls.insert(out.calls.end(), chunk->tool_calls.begin(), chunk->tool_calls.end());
            out.tokens.insert(out.tokens.end(), chunk->tokens.begin(), chunk->tokens.end());
        } else {
            out.finished.push_back(std::get<engine::finished>(event));
        }
    }
    if (!done) {
        out.failed = done.error();
    }
    return out;
}

TEST(answer_decoder, reads_chat_with_usage_after_the_finish_reason) {
    const auto got = decode(
        "data: "
        "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
        "data: "
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_"
        "tokens\":8}}}\n\n"
        "data: [DONE]\n\n");
    ASSERT_FALSE(got.failed);
    EXPECT_EQ(got.content, "Hello");
    ASSERT_EQ(got.finished.size(), 1U);
    EXPECT_EQ(got.finished[0].reason, engine::finish_reason::length);
    EXPECT_EQ(got.finished[0].usage.prompt_tokens, 11);
    EXPECT_EQ(got.finished[0].usage.completion_tokens, 2);
    EXPECT_EQ(got.finished[0].usage.cached_tokens, 8);
    ASSERT_EQ(got.tokens.size(), 2U);
    EXPECT_EQ(got.tokens[0].id, engine::no_token);
    EXPECT_EQ(got.tokens[0].bytes, "Hel");
}

TEST(answer_decoder, reads_reasoning_and_tool_calls) {
    const auto got = decode(
        "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
        "data: "
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{"
        "\"name\":\"add\",\"arguments\":\"\"}}]}}]}\n\n"
        "data: "
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":1}\"}}]}}]}"
        "\n\n"
        "data: "
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"now\","
        "\"arguments\":{\"z\":2}}}]}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        "data: [DONE]\n\n");
    ASSERT_FALSE(got.failed);
    EXPECT_EQ(got.reasoning, "hm");
    ASSERT_EQ(got.calls.size(), 3U);
    EXPECT_EQ(got.calls[0].id, "c1");
    EXPECT_EQ(got.calls[0].name, "add");
    EXPECT_EQ(got.calls[1].arguments, "{\"a\":1}");
    EXPECT_EQ(got.calls[2].index, 1U);
    EXPECT_EQ(got.calls[2].arguments, "{\"z\":2}");
    EXPECT_EQ(got.finished.at(0).reason, engine::finish_reason::tool_calls);
    EXPECT_EQ(got.finished.at(0).usage.completion_tokens, 4) << "counted, since the server sent no usage";
}

TEST(answer_decoder, reads_logprobs_of_both_apis) {
    const auto chat = decode(
        "data: "
        "{\"choices\":[{\"delta\":{\"content\":\"\\u00e9\"},\"logprobs\":{\"content\":[{\"token\":\"?\",\"bytes\":[195]"
        ",\"logprob\":-0.5,"
        "\"top_logprobs\":[{\"token\":\"a\",\"bytes\":[97],\"logprob\":-1.5}]},{\"token\":\"?\",\"bytes\":[169],"
        "\"logprob\":-0.25}]}}]}\n\n"
        "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n");
    ASSERT_EQ(chat.tokens.size(), 2U);
    EXPECT_EQ(chat.tokens[0].bytes, "\xC3");
    EXPECT_FLOAT_EQ(*chat.tokens[0].logprob, -0.5F);
    ASSERT_EQ(chat.tokens[0].alternatives.size(), 1U);
    EXPECT_EQ(chat.tokens[0].alternatives[0].bytes, "a");
    EXPECT_EQ(chat.tokens[1].bytes, "\xA9");

    const auto text = decode(
        "data: {\"choices\":[{\"text\":\"hi\",\"logprobs\":{\"tokens\":[\"h\",\"i\"],\"token_logprobs\":[-1,-2.5],"
        "\"top_logprobs\":[{\"h\":-1,\"x\":-3},null]},\"finish_reason\":\"stop\"}]}\n\n");
    ASSERT_EQ(text.tokens.size(), 2U);
    EXPECT_FLOAT_EQ(*text.tokens[1].logprob, -2.5F);
    EXPECT_EQ(text.tokens[0].alternatives.size(), 2U);
    EXPECT_EQ(text.content, "hi");
}

TEST(answer_decoder, knows_the_model_that_answers) {
    answer_decoder decoder;
    std::vector<engine::stream_event> events;
    EXPECT_EQ(decoder.model(), "");
    ASSERT_TRUE(
        decoder.feed("data: {\"model\":\"starter\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", events));
    EXPECT_EQ(decoder.model(), "starter");
}

TEST(answer_decoder, speaks_of_the_server_by_its_name) {
    answer_decoder decoder({.name = "The node at http://n", .key_flag = {}, .secret = {}});
    std::vector<engine::stream_event> events;
    const auto cut = decoder.finish(events);
    ASSERT_FALSE(cut);
    EXPECT_TRUE(cut.error().message.starts_with("The node at http://n ")) << cut.error().message;
}

TEST(answer_decoder, a_cut_stream_is_an_error_after_its_text) {
    const auto got = decode("data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n");
    EXPECT_EQ(got.content, "half");
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::unavailable);
    EXPECT_TRUE(got.finished.empty());
}

TEST(answer_decoder, an_error_in_mid_stream_keeps_its_code_and_message) {
    const auto got = decode(
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"
        "data: {\"error\":{\"message\":\"the queue is full\",\"code\":429}}\n\n");
    ASSERT_TRUE(got.failed);
    EXPECT_TRUE(*got.failed == engine::errc::queue_full);
    EXPECT_NE(got.failed->message.find("the queue is full"), std::string::npos);

    const auto old = decode("error: {\"message\":\"boom\",\"code\":500}\n\n");
    ASSERT_TRUE(old.failed);
}

TEST(answer_decoder, what_is_not_json_is_an_error) {
    for (const char* text : {"data: <html>\n\n", "data: 17\n\n", "data: {\"choices\":\n\n"}) {
        const auto got = decode(text);
        ASSERT_TRUE(got.failed) << text;
        EXPECT_TRUE(*got.failed == engine::errc::upstream_error) << text;
    }
    EXPECT_TRUE(decode("data: [DONE]\n\n").failed) << "an answer that ends before it has a reason";
}

TEST(answer_decoder, fields_of_wrong_types_do_no_harm) {
    const auto got = decode(
        "data: "
        "{\"choices\":[{\"delta\":{\"content\":7,\"tool_calls\":{}},\"logprobs\":[1],\"finish_reason\":3}],\"usage\":"
        "\"x\"}\n\n"
        "data: {\"choices\":[3,{}],\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e99}}\n\n"
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[1,{\"index\":-3,\"function\":4}]}}]}\n\n"
        "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    EXPECT_FALSE(got.failed);
    EXPECT_EQ(got.finished.size(), 1U);
    EXPECT_EQ(got.finished[0].usage.prompt_tokens, 0);
}

TEST(answer_decoder, takes_an_answer_that_was_not_streamed) {
    answer_decoder decoder;
    std::vector<engine::stream_event> events;
    ASSERT_TRUE(decoder.feed_whole(
        R"({"choices":[{"message":{"content":"whole","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":1}})",
        events));
    ASSERT_TRUE(decoder.finish(events));
    ASSERT_EQ(events.size(), 2U);
    const auto& chunk = std::get<engine::chunk>(events[0]);
    EXPECT_EQ(chunk.content, "whole");
    ASSERT_EQ(chunk.tool_calls.size(), 2U);
    EXPECT_EQ(chunk.tool_calls[1].index, 1U);
}

server_words words(std::string name, std::string secret = {}) {
    return {.name = std::move(name), .key_flag = "--key-file", .secret = std::move(secret)};
}

struct status_case {
    int status;
    engine::errc code;
};

class error_status : public ::testing::TestWithParam<status_case> {};

TEST_P(error_status, maps_to_the_engine) {
    const error e = error_of(GetParam().status, R"({"error":{"message":"their words"}})", words("http://h/v1"));
    EXPECT_TRUE(e == GetParam().code) << e.message;
    EXPECT_NE(e.message.find("their words"), std::string::npos);
    EXPECT_NE(e.message.find(std::to_string(GetParam().status)), std::string::npos);
    EXPECT_NE(e.message.find("http://h/v1"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    statuses, error_status,
    ::testing::Values(status_case{400, engine::errc::invalid_request}, status_case{401, engine::errc::upstream_error},
                      status_case{403, engine::errc::upstream_error}, status_case{404, engine::errc::unknown_model},
                      status_case{422, engine::errc::invalid_request}, status_case{429, engine::errc::queue_full},
                      status_case{500, engine::errc::upstream_error}, status_case{501, engine::errc::unsupported},
                      status_case{503, engine::errc::unavailable}, status_case{504, engine::errc::deadline}));

TEST(error_of, tells_special_cases_apart) {
    EXPECT_TRUE(error_of(503, R"({"error":{"message":"It is loading: 40 %.","code":"model_loading"}})", words("h")) ==
                engine::errc::loading);
    EXPECT_TRUE(error_of(503, R"({"error":{"message":"Loading model","code":503}})", words("h")) ==
                engine::errc::loading);
    EXPECT_TRUE(error_of(400, R"({"error":{"message":"x","code":"context_length_exceeded"}})", words("h")) ==
                engine::errc::prompt_too_long);
    EXPECT_TRUE(error_of(400, R"({"error":{"message":"x","type":"exceed_context_size_error"}})", words("h")) ==
                engine::errc::prompt_too_long);
    EXPECT_NE(error_of(400, R"({"error":"plain text"})", words("h")).message.find("plain text"), std::string::npos);
    EXPECT_NE(error_of(422, R"({"detail":"fast"})", words("h")).message.find("fast"), std::string::npos);
    EXPECT_EQ(error_of(502, "<html>a page</html>", words("h")).message.find("html"), std::string::npos);
}

TEST(error_of, never_shows_the_key_and_stays_one_line) {
    const error e = error_of(401, R"({"error":{"message":"Incorrect key sk-secret\nand sk-secret again"}})",
                             words("h", "sk-secret"));
    EXPECT_EQ(e.message.find("sk-secret"), std::string::npos);
    EXPECT_EQ(e.message.find('\n'), std::string::npos);
    const error longer = error_of(500, std::string(5000, 'x'), words("h"));
    EXPECT_LT(longer.message.size(), 600U);
}

TEST(embeddings, are_ordered_and_brought_to_length_one) {
    const auto got = parse_embeddings(
        R"({"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":9}})", 2);
    ASSERT_TRUE(got);
    EXPECT_FLOAT_EQ(got->vectors[0][0], 0.6F);
    EXPECT_FLOAT_EQ(got->vectors[1][1], 1.0F);
    EXPECT_EQ(got->prompt_tokens, 9);
    EXPECT_FALSE(parse_embeddings(R"({"data":[{"embedding":[1]}]})", 2));
    EXPECT_FALSE(parse_embeddings(R"({"data":[{"embedding":["a"]}]})", 1));
    EXPECT_FALSE(parse_embeddings(R"({"data":[{"index":5,"embedding":[1]}]})", 1));
    EXPECT_FALSE(parse_embeddings("", 1));
}

engine::message message_of(engine::role role, std::string content) {
    engine::message out;
    out.role = role;
    out.content = std::move(content);
    return out;
}

engine::generate_request chat_request() {
    engine::chat_prompt prompt;
    prompt.messages.push_back(message_of(engine::role::user, "Hi"));
    engine::generate_request request;
    request.prompt = prompt;
    request.sampling.seed = 42;
    return request;
}

TEST(completion_body, says_only_what_was_asked_for) {
    auto request = chat_request();
    const json::object plain = json::parse(completion_body(request, "m")).as_object();
    EXPECT_EQ(plain.at("model"), "m");
    EXPECT_TRUE(plain.at("stream").as_bool());
    EXPECT_TRUE(plain.at("stream_options").at("include_usage").as_bool());
    EXPECT_EQ(plain.at("seed"), 42);
    for (const char* name : {"top_k", "min_p", "repeat_penalty", "logit_bias", "tools", "response_format", "logprobs",
                             "stop", "max_tokens", "grammar", "ignore_eos", "prompt"}) {
        EXPECT_FALSE(plain.contains(name)) << name;
    }

    request.sampling.temperature = 0.7F;
    request.sampling.top_k = 40;
    request.sampling.logit_bias = {{5, -100.0F}};
    request.max_tokens = 12;
    request.stop = {"END"};
    request.logprobs = 3;
    auto& prompt = std::get<engine::chat_prompt>(request.prompt);
    prompt.tools.push_back({.name = "add", .description = "adds", .parameters = R"({"type":"object"})"});
    prompt.tool_choice = engine::tool_choice::required;
    prompt.format = engine::output_format::json_schema;
    prompt.json_schema = R"({"type":"object"})";
    prompt.messages.push_back(message_of(engine::role::assistant, ""));
    prompt.messages.back().tool_calls.push_back({"id1", "add", "{}"});
    prompt.messages.push_back(message_of(engine::role::tool, "3"));
    prompt.messages.back().tool_call_id = "id1";
    const json::object full = json::parse(completion_body(request, "m")).as_object();
    EXPECT_EQ(json::serialize(full.at("temperature")), "7E-1");
    EXPECT_EQ(full.at("logit_bias").at("5"), -100.0);
    EXPECT_EQ(full.at("stop").at(0), "END");
    EXPECT_EQ(full.at("top_logprobs"), 3);
    EXPECT_EQ(full.at("tool_choice"), "required");
    EXPECT_EQ(full.at("tools").at(0).at("function").at("parameters").at("type"), "object");
    EXPECT_EQ(full.at("response_format").at("json_schema").at("schema").at("type"), "object");
    EXPECT_TRUE(full.at("messages").at(1).at("content").is_null());
    EXPECT_EQ(full.at("messages").at(1).at("tool_calls").at(0).at("function").at("name"), "add");
    EXPECT_EQ(full.at("messages").at(2).at("tool_call_id"), "id1");
}

TEST(completion_body, seeds_stay_in_the_range_of_the_api) {
    auto request = chat_request();
    request.sampling.seed = ~std::uint64_t{0};
    EXPECT_GE(json::parse(completion_body(request, "m")).at("seed").as_int64(), 0);
}

TEST(completion_body, continues_text_and_tokens) {
    engine::generate_request request;
    request.prompt = engine::text_prompt{"Once"};
    request.logprobs = 2;
    auto body = json::parse(completion_body(request, "m"));
    EXPECT_EQ(body.at("prompt"), "Once");
    EXPECT_EQ(body.at("logprobs"), 2);
    request.prompt = engine::token_prompt{{1, 2}};
    body = json::parse(completion_body(request, "m"));
    EXPECT_EQ(body.at("prompt").at(1), 2);
}

TEST(api_base, adds_v1_where_there_is_no_path) {
    EXPECT_EQ(*api_base("http://127.0.0.1:8080"), "http://127.0.0.1:8080/v1");
    EXPECT_EQ(*api_base("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/v1");
    EXPECT_EQ(*api_base("https://h/v1/"), "https://h/v1");
    EXPECT_EQ(*api_base("HTTPS://h/api/v2"), "HTTPS://h/api/v2");
}

TEST(api_base, refuses_what_is_no_server) {
    for (const char* url : {"", "h:80", "ftp://h", "http://", "http:///x", "http://u:p@h", "http://h?key=1",
                            "http://h/#x", "http://a b", "http://:80"}) {
        const auto base = api_base(url);
        ASSERT_FALSE(base) << url;
        EXPECT_TRUE(base.error() == engine::errc::invalid_request);
    }
    EXPECT_EQ(api_base("http://u:secret@h").error().message.find("secret"), std::string::npos);
}

TEST(token_rate, forgets) {
    token_rate rate;
    const token_rate::time_point start{std::chrono::seconds(1000)};
    rate.count(10, start);
    rate.count(10, start + std::chrono::seconds(1));
    EXPECT_DOUBLE_EQ(rate.per_second(start + std::chrono::seconds(2)), 4.0);
    EXPECT_DOUBLE_EQ(rate.per_second(start + std::chrono::seconds(6)), 2.0);
    EXPECT_DOUBLE_EQ(rate.per_second(start + std::chrono::seconds(60)), 0.0);
}

}  // namespace
}  // namespace starling::upstream
