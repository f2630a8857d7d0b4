#include "pipeline/stage_messages.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace starling::pipeline {

namespace json = boost::json;

node_id node(std::uint8_t which) {
    node_id out;
    out.bytes.fill(which);
    return out;
}

stage_open opening() {
    stage_open out;
    out.deployment = 0xffff'0000'0000'0001U;
    out.epoch = 4;
    out.term = 9;
    out.coordinator = node(1);
    out.model = "a model";
    out.content = "sha256:00";
    out.stages = {node(2), node(3)};
    out.index = 1;
    out.layers = {.first = 4, .end = 8, .of = 12};
    out.context = 4'096;
    out.sequences = 8;
    out.step_tokens = 512;
    out.numbers = number_type::f32;
    return out;
}

template <class T>
T back(const T& sent) {
    const auto got = parse_stage_message(to_json(sent));
    EXPECT_TRUE(got) << (got ? "" : got.error().message);
    return std::get<T>(*got);
}

TEST(StageMessages, EachArrivesAsItWasSent) {
    EXPECT_EQ(back(opening()), opening());
    EXPECT_EQ(back(stage_progress{0.25}).fraction, 0.25);
    const auto ready =
        back(stage_ready{.layers = {.first = 0, .end = 2, .of = 3}, .width = 640, .memory_bytes = 1ULL << 40U});
    EXPECT_EQ(ready.layers, (layer_range{.first = 0, .end = 2, .of = 3}));
    EXPECT_EQ(ready.width, 640);
    EXPECT_EQ(ready.memory_bytes, 1ULL << 40U);
    EXPECT_EQ(back(stage_state{.steps = 77, .ms_per_token = 1.5}).ms_per_token, 1.5);
    EXPECT_EQ(back(stage_close{"done"}).reason, "done");
    const auto data = back(stage_data{.deployment = 5, .epoch = 2, .index = 3});
    EXPECT_EQ(data.deployment, 5U);
    EXPECT_EQ(data.epoch, 2U);
    EXPECT_EQ(data.index, 3U);
}

TEST(StageMessages, ARefusalKeepsItsCodeAndWhomItIsAbout) {
    const auto got = back(stage_refused{.why = fail(errc::busy, "Taken."), .about = node(7)});
    EXPECT_TRUE(got.why == errc::busy);
    EXPECT_EQ(got.why.message, "Taken.");
    EXPECT_EQ(got.about, node(7));
    const auto other = back(stage_refused{.why = fail(transport::errc::reset, "Gone."), .about = {}});
    EXPECT_TRUE(other.why == errc::declined) << "codes of other libraries have no name here";
    for (int code = 1; code <= static_cast<int>(errc::closed); ++code) {
        const auto why = fail(static_cast<errc>(code), "");
        EXPECT_TRUE(why == code_of(code_name(why))) << "every code has a name of its own";
    }
}

TEST(StageMessages, NeighboursAreKnown) {
    auto open = opening();
    EXPECT_EQ(predecessor(open), node(2));
    EXPECT_EQ(successor(open), node(1));
    open.index = 0;
    EXPECT_EQ(predecessor(open), node(1));
    EXPECT_EQ(successor(open), node(3));
}

void expect_refused(const char* field, const json::value& value, errc why) {
    auto message = json::parse(to_json(opening())).as_object();
    message[field] = value;
    const auto got = parse_stage_message(json::serialize(message));
    ASSERT_FALSE(got) << field;
    EXPECT_TRUE(got.error() == why) << field << ": " << got.error().message;
}

TEST(StageMessages, AnOpeningThatMakesNoSenseIsRefused) {
    expect_refused("version", 2, errc::unsupported);
    expect_refused("numbers", "f8", errc::unsupported);
    expect_refused("deployment", "12", errc::malformed);
    expect_refused("deployment", "FFFF000000000001", errc::malformed);
    expect_refused("deployment", 12, errc::malformed);
    expect_refused("coordinator", "me", errc::malformed);
    expect_refused("model", "", errc::malformed);
    expect_refused("content", std::string(2'000, 'x').c_str(), errc::malformed);
    expect_refused("epoch", 0, errc::malformed);
    expect_refused("epoch", 1ULL << 32U, errc::malformed);
    expect_refused("epoch", -1, errc::malformed);
    expect_refused("index", 2, errc::malformed);
    expect_refused("stages", json::array{}, errc::malformed);
    expect_refused("stages", json::array{7}, errc::malformed);
    expect_refused("stages", json::array{to_string(node(2)).c_str(), to_string(node(2)).c_str()}, errc::malformed);
    expect_refused("stages", json::array{to_string(node(2)).c_str(), to_string(node(1)).c_str()}, errc::malformed);
    expect_refused("first", 8, errc::out_of_range);
    expect_refused("end", 13, errc::out_of_range);
    expect_refused("of_layers", 1'000'000, errc::out_of_range);
    expect_refused("context", 0, errc::out_of_range);
    expect_refused("context", 1e300, errc::out_of_range);
    expect_refused("sequences", 5'000, errc::out_of_range);
    expect_refused("step_tokens", 5'000, errc::out_of_range);
    json::array many;
    for (std::size_t i = 0; i <= max_stages; ++i) {
        many.emplace_back(to_string(node(static_cast<std::uint8_t>(i + 10))));
    }
    expect_refused("stages", many, errc::too_large);
}

TEST(StageMessages, GarbageIsMalformed) {
    for (const char* text : {"", "{", "[]", "7", "null", R"({"type":"stage_open"})", R"({"type":"stage_data"})"}) {
        EXPECT_TRUE(parse_stage_message(text).error() == errc::malformed) << text;
    }
    EXPECT_TRUE(parse_stage_message(R"({"type":"sing"})").error() == errc::unsupported);
    EXPECT_TRUE(parse_stage_message(std::string(max_message_bytes + 1, ' ')).error() == errc::too_large);
    const auto odd = parse_stage_message(R"({"type":"stage_state","steps":-3,"ms_per_token":1e999})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(std::get<stage_state>(*odd).steps, 0U);
    EXPECT_TRUE(parse_stage_message(R"({"type":"stage_ready","first":0,"end":1,"of_layers":1,"width":0})").error() ==
                errc::out_of_range);
}

}  // namespace starling::pipeline
