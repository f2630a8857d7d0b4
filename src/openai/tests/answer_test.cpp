#include "openai/answer.hpp"
#include "openai/errc.hpp"
#include "openai/error_body.hpp"
#include "openai/json_text.hpp"
#include "openai/sse.hpp"

#include "engine/errc.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cmath>
#include <cstring>
#include <limits>

namespace starling::openai {
namespace {

namespace json = boost::json;

const answer_identity identity{"chatcmpl-1", "mo\"del", 1700000000};

std::string text_of(std::string_view value) {
    std::string out;
    append_json_string(out, value);
    return out;
}

engine::emitted_token token(std::string bytes, float logprob) {
    engine::emitted_token t;
    t.id = 5;
    t.bytes = std::move(bytes);
    t.logprob = logprob;
    t.alternatives = {{5, t.bytes, logprob}, {6, "other", -3.5F}};
    return t;
}

/// The JSON objects of a run of events.
std::vector<json::object> events(std::string_view stream) {
    std::vector<json::object> all;
    while (!stream.empty()) {
        const auto end = stream.find("\n\n");
        EXPECT_NE(end, std::string_view::npos) << stream;
        EXPECT_EQ(stream.substr(0, 6), "data: ");
        all.push_back(json::parse(stream.substr(6, end - 6)).as_object());
        stream.remove_prefix(end + 2);
    }
    return all;
}

TEST(json_text, strings_survive_a_parser) {
    for (const std::string text : {"", "plain", "quote \" and \\ slash /", "line\nbreak\r\ttab", "\x01\x1f\x7f",
                                   "gr\xC3\xBC\xC3\x9F \xE4\xB8\xAD \xF0\x9F\x90\xA6"}) {
        EXPECT_EQ(json::parse(text_of(text)).as_string(), text);
    }
    EXPECT_EQ(json::parse(text_of(std::string("a\0b", 3))).as_string().size(), 3U);
}

TEST(json_text, bytes_that_are_not_utf8_become_replacement_characters) {
    for (const std::string broken : {"\xff", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\x80",
                                     "\xF0\x80\x80\x80", "\xF5\x80\x80\x80"}) {
        boost::system::error_code failed;
        const auto value = json::parse(text_of("a" + broken + "z"), failed);
        ASSERT_FALSE(failed) << failed.message();
        const std::string read(value.as_string());
        EXPECT_EQ(read.front(), 'a');
        EXPECT_EQ(read.back(), 'z');
        EXPECT_NE(read.find("\xEF\xBF\xBD"), std::string::npos);
    }
}

TEST(json_text, every_pair_of_bytes_is_valid_json) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const char pair[2] = {static_cast<char>(a), static_cast<char>(b)};
            boost::system::error_code failed;
            json::parse(text_of(std::string_view(pair, 2)), failed);
            ASSERT_FALSE(failed) << a << " " << b;
        }
    }
}

TEST(json_text, floats_read_back_as_themselves_and_infinities_are_null) {
    for (const float value : {0.0F, -1.5F, 0.1F, 1e-30F, 3.4e38F, -0.333333F}) {
        std::string out;
        append_json_float(out, value);
        EXPECT_EQ(static_cast<float>(json::parse(out).to_number<double>()), value) << out;
    }
    std::string out;
    append_json_float(out, std::numeric_limits<float>::infinity());
    append_json_float(out, std::nanf(""));
    EXPECT_EQ(out, "nullnull");
}

TEST(chat_answer, has_the_shape_of_the_api) {
    choice_answer first;
    engine::chunk chunk;
    chunk.content = "Hel";
    chunk.tokens = {token("Hel", -0.5F)};
    first.add(chunk, true);
    chunk.content = "lo";
    first.add(chunk, true);
    choice_answer second;
    engine::chunk call;
    call.tool_calls = {{0, "c1", "f", "{\"a\""}};
    second.add(call, true);
    call.tool_calls = {{0, "", "", ":1}"}, {1, "c2", "g", "{}"}};
    second.add(call, true);
    second.reason = engine::finish_reason::tool_calls;

    const auto root = json::parse(chat_answer(identity, std::vector{first, second}, {10, 5, 3}, true)).as_object();
    EXPECT_EQ(root.at("object"), "chat.completion");
    EXPECT_EQ(root.at("model"), "mo\"del");
    const auto& choices = root.at("choices").as_array();
    EXPECT_EQ(choices[0].at("message").at("content"), "Hello");
    EXPECT_EQ(choices[0].at("finish_reason"), "stop");
    EXPECT_EQ(choices[0].at("logprobs").at("content").as_array().size(), 2U);
    EXPECT_EQ(choices[0].at("logprobs").at("content").at(0).at("bytes"), (json::array{72, 101, 108}));
    EXPECT_EQ(choices[0].at("logprobs").at("content").at(0).at("top_logprobs").at(1).at("logprob").to_number<double>(),
              -3.5);
    EXPECT_TRUE(choices[1].at("message").at("content").is_null());
    const auto& calls = choices[1].at("message").at("tool_calls").as_array();
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls[0].at("function").at("arguments"), "{\"a\":1}");
    EXPECT_EQ(calls[1].at("id"), "c2");
    EXPECT_EQ(choices[1].at("finish_reason"), "tool_calls");
    EXPECT_EQ(root.at("usage"), (json::value{{"prompt_tokens", 10},
                                             {"completion_tokens", 5},
                                             {"total_tokens", 15},
                                             {"prompt_tokens_details", {{"cached_tokens", 3}}}}));
}

TEST(chat_answer, without_logprobs_and_text_they_are_null_and_empty) {
    const auto root = json::parse(chat_answer(identity, std::vector{choice_answer{}}, {}, false)).as_object();
    EXPECT_TRUE(root.at("choices").at(0).at("logprobs").is_null());
    EXPECT_EQ(root.at("choices").at(0).at("message").at("content"), "");
}

TEST(completion_answer, has_the_shape_of_the_api) {
    choice_answer choice;
    engine::chunk chunk;
    chunk.content = "once upon";
    chunk.tokens = {token("once", -1.0F), token(" upon", -INFINITY)};
    choice.add(chunk, true);
    choice.reason = engine::finish_reason::length;
    const auto root = json::parse(completion_answer(identity, std::vector{choice}, {1, 2, 0}, true)).as_object();
    EXPECT_EQ(root.at("object"), "text_completion");
    const auto& read = root.at("choices").at(0);
    EXPECT_EQ(read.at("text"), "once upon");
    EXPECT_EQ(read.at("finish_reason"), "length");
    EXPECT_EQ(read.at("logprobs").at("tokens"), (json::array{"once", " upon"}));
    EXPECT_EQ(read.at("logprobs").at("text_offset"), (json::array{0, 4}));
    EXPECT_EQ(read.at("logprobs").at("token_logprobs").at(1).to_number<double>(), -9999.0);
    EXPECT_EQ(read.at("logprobs").at("top_logprobs").at(0).at("other").to_number<double>(), -3.5);
}

TEST(embeddings_answer, floats_and_base64_are_the_same_numbers) {
    engine::embedding_result result;
    result.vectors = {{1.0F, -0.5F, 0.25F}, {0.0F}};
    result.prompt_tokens = 7;
    const auto floats = json::parse(embeddings_answer("m", result, embedding_encoding::floats)).as_object();
    EXPECT_EQ(floats.at("data").at(0).at("embedding").at(1).to_number<double>(), -0.5);
    EXPECT_EQ(floats.at("usage").at("total_tokens"), 7);
    const auto coded = json::parse(embeddings_answer("m", result, embedding_encoding::base64)).as_object();
    EXPECT_EQ(coded.at("data").at(0).at("embedding"), "AACAPwAAAL8AAIA+");
    EXPECT_EQ(coded.at("data").at(1).at("embedding"), "AAAAAA==");
    EXPECT_EQ(coded.at("data").at(1).at("index"), 1);
}

TEST(models_answer, lists_models) {
    listed_model model;
    model.id = "starter";
    model.created_s = 5;
    model.info.context_length = 2048;
    const auto root = json::parse(model_list_answer(std::vector{model, model})).as_object();
    EXPECT_EQ(root.at("data").as_array().size(), 2U);
    EXPECT_EQ(root.at("data").at(0).at("object"), "model");
    EXPECT_EQ(root.at("data").at(0).at("meta").at("context_length"), 2048);
    EXPECT_EQ(json::parse(model_answer(model)).at("id"), "starter");
}

TEST(chat_chunks, a_stream_has_the_shape_of_the_api) {
    const chat_chunks chunks(identity, {true, true}, false);
    std::string out;
    engine::chunk chunk;
    chunk.content = "Hi \"you\"";
    chunks.open(out, 0);
    chunks.add(out, 0, chunk);
    chunks.close(out, 0, engine::finish_reason::length);
    chunks.usage(out, {3, 4, 0});
    const auto all = events(out);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].at("object"), "chat.completion.chunk");
    EXPECT_EQ(all[0].at("choices").at(0).at("delta").at("role"), "assistant");
    EXPECT_EQ(all[1].at("choices").at(0).at("delta").at("content"), "Hi \"you\"");
    EXPECT_TRUE(all[1].at("choices").at(0).at("finish_reason").is_null());
    EXPECT_TRUE(all[1].at("usage").is_null());
    EXPECT_EQ(all[2].at("choices").at(0).at("finish_reason"), "length");
    EXPECT_TRUE(all[3].at("choices").as_array().empty());
    EXPECT_EQ(all[3].at("usage").at("total_tokens"), 7);
}

TEST(chat_chunks, usage_is_there_only_when_asked_for) {
    const chat_chunks chunks(identity, {true, false}, false);
    std::string out;
    chunks.usage(out, {1, 1, 0});
    EXPECT_TRUE(out.empty());
    chunks.open(out, 0);
    EXPECT_FALSE(events(out)[0].contains("usage"));
}

TEST(chat_chunks, tokens_without_text_are_silent_unless_logprobs_are_asked_for) {
    engine::chunk chunk;
    chunk.tokens = {token("x", -1.0F)};
    std::string out;
    chat_chunks(identity, {true, false}, false).add(out, 0, chunk);
    EXPECT_TRUE(out.empty());
    chat_chunks(identity, {true, false}, true).add(out, 0, chunk);
    const auto all = events(out);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_TRUE(all[0].at("choices").at(0).at("delta").as_object().empty());
    EXPECT_EQ(all[0].at("choices").at(0).at("logprobs").at("content").at(0).at("token"), "x");
}

TEST(chat_chunks, reasoning_and_tool_calls_are_deltas) {
    const chat_chunks chunks(identity, {true, false}, false);
    engine::chunk chunk;
    chunk.reasoning = "hm";
    chunk.content = "so";
    chunk.tool_calls = {{0, "c1", "f", ""}, {1, "", "", "{}"}};
    std::string out;
    chunks.add(out, 2, chunk);
    const auto delta = events(out)[0].at("choices").at(0).at("delta").as_object();
    EXPECT_EQ(events(out)[0].at("choices").at(0).at("index"), 2);
    EXPECT_EQ(delta.at("reasoning_content"), "hm");
    EXPECT_EQ(delta.at("content"), "so");
    EXPECT_EQ(delta.at("tool_calls").at(0),
              (json::value{
                  {"index", 0}, {"id", "c1"}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", ""}}}}));
    EXPECT_EQ(delta.at("tool_calls").at(1), (json::value{{"index", 1}, {"function", {{"arguments", "{}"}}}}));
}

TEST(completion_chunks, a_stream_has_the_shape_of_the_api) {
    completion_chunks chunks(identity, {true, false}, true, 1);
    std::string out;
    engine::chunk chunk;
    chunk.content = "abc";
    chunk.tokens = {token("abc", -1.0F)};
    chunks.echo(out, 0, "prompt ");
    chunks.add(out, 0, chunk);
    chunks.add(out, 0, chunk);
    chunks.close(out, 0, engine::finish_reason::stop);
    const auto all = events(out);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].at("choices").at(0).at("text"), "prompt ");
    EXPECT_EQ(all[1].at("object"), "text_completion");
    EXPECT_EQ(all[2].at("choices").at(0).at("logprobs").at("text_offset"), (json::array{3}));
    EXPECT_EQ(all[3].at("choices").at(0).at("finish_reason"), "stop");
}

TEST(error_body, every_error_has_one_status) {
    const auto status = [](auto code) { return classify(fail(code, "x").code).status; };
    EXPECT_EQ(status(engine::errc::invalid_request), 400);
    EXPECT_EQ(status(engine::errc::prompt_too_long), 400);
    EXPECT_EQ(status(engine::errc::queue_full), 429);
    EXPECT_EQ(status(engine::errc::loading), 503);
    EXPECT_EQ(status(engine::errc::unavailable), 503);
    EXPECT_EQ(status(engine::errc::unknown_model), 404);
    EXPECT_EQ(status(engine::errc::unsupported), 400);
    EXPECT_EQ(status(engine::errc::deadline), 504);
    EXPECT_EQ(status(engine::errc::upstream_error), 502);
    EXPECT_EQ(status(engine::errc::internal), 500);
    EXPECT_EQ(status(errc::malformed_json), 400);
    EXPECT_EQ(status(errc::invalid_api_key), 401);
    EXPECT_EQ(status(errc::origin_not_allowed), 403);
    EXPECT_EQ(status(errc::unknown_route), 404);
    EXPECT_EQ(status(errc::wrong_method), 405);
    EXPECT_EQ(status(errc::wrong_media_type), 415);
    EXPECT_EQ(status(errc::body_too_large), 413);
    EXPECT_EQ(status(errc::headers_too_large), 431);
    EXPECT_EQ(classify(std::make_error_code(std::errc::io_error)).status, 500);
    EXPECT_GT(classify(fail(engine::errc::queue_full, "x").code).retry_after_s, 0);
    EXPECT_GT(classify(fail(engine::errc::loading, "x").code).retry_after_s, 0);
}

TEST(error_body, has_the_shape_of_the_api_and_leaks_nothing) {
    const auto body =
        json::parse(error_body(fail(errc::invalid_value, "'n' is \"wrong\"."), "n")).at("error").as_object();
    EXPECT_EQ(body.at("message"), "'n' is \"wrong\".");
    EXPECT_EQ(body.at("type"), "invalid_request_error");
    EXPECT_EQ(body.at("param"), "n");
    EXPECT_EQ(body.at("code"), "invalid_value");
    const auto hidden = error_body(fail(engine::errc::internal, "secret path"));
    EXPECT_EQ(hidden.find("secret"), std::string::npos);
    EXPECT_TRUE(json::parse(hidden).at("error").at("param").is_null());
    EXPECT_EQ(json::parse(sse_error(fail(engine::errc::unavailable, "gone")).substr(6)).at("error").at("message"),
              "gone");
}

}  // namespace
}  // namespace starling::openai
