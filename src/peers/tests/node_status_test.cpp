#include "peers/node_status.hpp"

#include "wire/errc.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

namespace starling::peers {

told_model some_model(std::string id) {
    told_model out;
    out.info.id = std::move(id);
    out.info.architecture = "llama";
    out.info.parameters = 8'000'000'000;
    out.info.size_bytes = 5'000'000'000;
    out.info.context_length = 8'192;
    out.info.layers = 32;
    out.info.embedding_length = 4'096;
    out.info.has_chat_template = true;
    out.content = std::string(64, 'a');
    out.state = readiness::ready;
    out.load = {.slots = 4, .busy = 2, .queued = 1, .queue_limit = 16, .tokens_per_s = 12.34};
    return out;
}

node_status some_status() {
    node_status out;
    out.health = route::assess({.cpu_percent = 25.0, .memory_percent = 50.0}, 25, 100);
    out.models = {some_model("one"), some_model("two")};
    out.models[1].state = readiness::standby;
    out.demand = {{.model = "wanted", .requests = 7, .rate_per_min = 1.5, .last_active_s = 3.25}};
    return out;
}

node_status parsed(const std::string& text) {
    auto got = parse_status(text);
    EXPECT_TRUE(got) << text.substr(0, 200);
    return got ? std::move(*got) : node_status();
}

node_status with_model(const std::string& fields) {
    return parsed(R"({"type":"status_response","models":[{"id":"m",)" + fields + "}]}");
}

TEST(NodeStatus, WhatIsLentArrives) {
    node_status sent = some_status();
    sent.offer.memory_bytes = 12'000'000'000;
    sent.offer.read_bytes_per_s = 1.5e10;
    sent.offer.files = {
        {.content = std::string(64, 'b'), .first_layer = 4, .end_layer = 12, .layers = 32},
        {.content = std::string(64, 'c'), .first_layer = 12, .end_layer = 12, .layers = 32},  // no layers
    };
    node_id other;
    other.bytes[0] = 7;
    sent.offer.links = {{.to = other, .round_trip_ms = 10.25}, {.to = node_id(), .round_trip_ms = 1.0}};
    const node_status got = parsed(to_json(sent));
    EXPECT_EQ(got.offer.memory_bytes, 12'000'000'000U);
    EXPECT_EQ(got.offer.read_bytes_per_s, 1.5e10);
    ASSERT_EQ(got.offer.files.size(), 1U);
    EXPECT_EQ(got.offer.files[0], sent.offer.files[0]);
    ASSERT_EQ(got.offer.links.size(), 1U);
    EXPECT_EQ(got.offer.links[0].to, other);
    EXPECT_EQ(got.offer.links[0].round_trip_ms, 10.25);
    node_status less = got;
    less.offer.memory_bytes = 10'000'000'000;
    EXPECT_TRUE(differs(got, less));
}

TEST(NodeStatus, WhatIsToldArrives) {
    const node_status sent = some_status();
    const node_status got = parsed(to_json(sent));
    EXPECT_FALSE(differs(sent, got));
    EXPECT_NEAR(got.health.score, sent.health.score, 0.01);
    ASSERT_EQ(got.models.size(), 2U);
    const told_model& one = got.models[0];
    EXPECT_EQ(one.info.architecture, "llama");
    EXPECT_EQ(one.info.parameters, 8'000'000'000U);
    EXPECT_EQ(one.info.size_bytes, 5'000'000'000U);
    EXPECT_EQ(one.info.context_length, 8'192);
    EXPECT_EQ(one.info.layers, 32);
    EXPECT_EQ(one.info.embedding_length, 4'096);
    EXPECT_TRUE(one.info.has_chat_template);
    EXPECT_EQ(one.content, std::string(64, 'a'));
    EXPECT_EQ(one.load.queue_limit, 16);
    EXPECT_NEAR(one.load.tokens_per_s, 12.34, 1e-9);
    EXPECT_EQ(got.models[1].state, readiness::standby);
    ASSERT_EQ(got.demand.size(), 1U);
    EXPECT_EQ(got.demand[0].model, "wanted");
    EXPECT_EQ(got.demand[0].requests, 7U);
    EXPECT_NEAR(got.demand[0].last_active_s, 3.25, 1e-9);
    EXPECT_EQ(to_json(got), to_json(sent));
}

TEST(NodeStatus, WhereAFileLiesIsNotTold) {
    node_status secret = some_status();
    secret.models[0].info.source = "/home/me/private/model.gguf";
    EXPECT_EQ(to_json(secret).find("private"), std::string::npos);
}

TEST(NodeStatus, TheStateFollowsFromTheScore) {
    const auto got = parsed(
        R"({"type":"status_response","health":{"score":100,"state":"healthy","cpu":100,"memory":100,"queue":0}})");
    EXPECT_EQ(got.health.state, route::health_state::overloaded);
    EXPECT_NEAR(got.health.score, 0.0, 1e-9);
}

TEST(NodeStatus, WhatIsNoStatusIsMalformed) {
    for (const char* text : {"", "[]", "{}", "null", R"({"type":"status"})", R"({"type":"status_response")"}) {
        EXPECT_TRUE(parse_status(text).error() == wire::errc::malformed) << text;
    }
}

TEST(NodeStatus, FieldsOfAnotherTypeHaveTheirDefaults) {
    const auto got = parsed(R"({"type":"status_response","health":[1],"models":{"id":"m"},"demand":"much"})");
    EXPECT_TRUE(got.models.empty());
    EXPECT_TRUE(got.demand.empty());
    const auto model = with_model(R"("slots":"four","state":7,"content":[],"tokens_per_s":null)").models.at(0);
    EXPECT_EQ(model.load.slots, 0);
    EXPECT_EQ(model.state, readiness::loading);
}

TEST(NodeStatus, NegativeNumbersAreNone) {
    const auto model =
        with_model(R"("slots":-4,"busy":-1,"queued":-2147483649,"queue_limit":-1e300,"parameters":-1,"size_bytes":-5,)"
                   R"("context_length":-1,"layers":-1,"tokens_per_s":-3.5)")
            .models.at(0);
    EXPECT_EQ(model.load.slots, 0);
    EXPECT_EQ(model.load.busy, 0);
    EXPECT_EQ(model.load.queued, 0);
    EXPECT_EQ(model.load.queue_limit, 0);
    EXPECT_EQ(model.info.parameters, 0U);
    EXPECT_EQ(model.info.size_bytes, 0U);
    EXPECT_EQ(model.info.context_length, 0);
    EXPECT_EQ(model.info.layers, 0);
    EXPECT_EQ(model.load.tokens_per_s, 0.0);
    const auto got =
        parsed(R"({"type":"status_response","demand":[{"model":"m","requests":-1,"request_rate_per_min":-2,)"
               R"("last_active_s":-1e308}]})");
    EXPECT_EQ(got.demand.at(0).requests, 0U);
    EXPECT_EQ(got.demand.at(0).rate_per_min, 0.0);
    EXPECT_EQ(got.demand.at(0).last_active_s, 0.0);
}

TEST(NodeStatus, GiantNumbersAreBounded) {
    for (const char* giant :
         {"1e308", "1e999", "0e999", "-0e999", "18446744073709551615", "99999999999999999999999999"}) {
        const std::string number = giant;
        const auto text = R"({"type":"status_response","health":{"cpu":)" + number + R"(,"memory":)" + number +
                          R"(,"queue":)" + number + R"(},"models":[{"id":"m","slots":)" + number + R"(,"parameters":)" +
                          number + R"(,"tokens_per_s":)" + number + R"(}],"demand":[{"model":"m","requests":)" +
                          number + R"(,"request_rate_per_min":)" + number + R"(,"last_active_s":)" + number + "}]}";
        const auto got = parse_status(text);
        if (!got) {
            continue;  // more than JSON's reader takes is no status at all
        }
        EXPECT_TRUE(std::isfinite(got->health.score)) << giant;
        EXPECT_GE(got->models.at(0).load.slots, 0) << giant;
        EXPECT_TRUE(std::isfinite(got->models.at(0).load.tokens_per_s)) << giant;
        EXPECT_LE(got->models.at(0).info.parameters, 1ULL << 53U) << giant;
        EXPECT_TRUE(std::isfinite(got->demand.at(0).rate_per_min)) << giant;
        EXPECT_TRUE(std::isfinite(got->demand.at(0).last_active_s)) << giant;
        EXPECT_EQ(to_json(parsed(to_json(*got))), to_json(*got)) << giant;
    }
    for (const char* none : {"NaN", "nan", "Infinity", "-inf"}) {
        EXPECT_FALSE(parse_status(R"({"type":"status_response","health":{"cpu":)" + std::string(none) + "}}"));
    }
}

TEST(NodeStatus, ListsAndNamesAreCut) {
    std::string models = R"({"id":")" + std::string(10'000, 'n') + R"("})";
    constexpr int many = 1'000'000;
    models.reserve(std::size_t{10} * many);
    for (int i = 1; i < many; ++i) {
        models += R"(,{"id":"m"})";
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto got = parsed(R"({"type":"status_response","models":[)" + models + "]}");
    EXPECT_EQ(got.models.size(), max_told_models);
    EXPECT_EQ(got.models[0].info.id.size(), 512U);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
    node_status much;
    much.models.assign(1'000, some_model("m"));
    much.demand.assign(1'000, {.model = "m"});
    const auto told = parsed(to_json(much));
    EXPECT_EQ(told.models.size(), max_told_models);
    EXPECT_EQ(told.demand.size(), max_told_models);
}

TEST(NodeStatus, ALongListOfUsualModelsFitsItsMessage) {
    node_status much = some_status();
    much.models.assign(max_told_models,
                       some_model("hf://somebody/a-model-with-a-long-name-7b-instruct/file-Q4_K_M.gguf"));
    much.demand.assign(max_told_models, {.model = "hf://somebody/a-model-with-a-long-name-7b-instruct", .requests = 1});
    EXPECT_LE(to_json(much).size(), max_status_bytes);
}

TEST(NodeStatus, AModelWithoutANameIsNone) {
    const auto got = parsed(R"({"type":"status_response","models":[{},{"id":""},{"id":"m"},7]})");
    ASSERT_EQ(got.models.size(), 1U);
    EXPECT_EQ(got.models[0].info.id, "m");
}

TEST(NodeStatus, WhatIsWorthTellingAtOnce) {
    const node_status told = some_status();
    node_status now = told;
    EXPECT_FALSE(differs(told, now));
    now.health.score += 1.0;
    now.demand[0].requests += 10;
    now.models[0].load.tokens_per_s += 5.0;
    EXPECT_FALSE(differs(told, now)) << "waits for its time";
    const auto changed = [&](auto change) {
        node_status other = told;
        change(other);
        return differs(told, other);
    };
    EXPECT_TRUE(changed([](node_status& s) { s.health.score -= 6.0; }));
    EXPECT_TRUE(changed([](node_status& s) { s.health.state = route::health_state::overloaded; }));
    EXPECT_TRUE(changed([](node_status& s) { s.models.pop_back(); }));
    EXPECT_TRUE(changed([](node_status& s) { s.models[0].state = readiness::loading; }));
    EXPECT_TRUE(changed([](node_status& s) { s.models[0].content = "other"; }));
    EXPECT_TRUE(changed([](node_status& s) { s.models[0].load.busy = 4; }));
    EXPECT_TRUE(changed([](node_status& s) { s.models[0].load.queued = 9; }));
    EXPECT_TRUE(changed([](node_status& s) { s.demand.push_back({.model = "another"}); }));
    EXPECT_TRUE(changed([](node_status& s) { s.offer.stages.push_back({}); }));
    node_status loading = told;
    loading.offer.stages.push_back({.content = "c", .first_layer = 0, .end_layer = 4});
    node_status ready = loading;
    ready.offer.stages.back().ms_per_token = 2.0;
    EXPECT_FALSE(differs(loading, ready));
    ready.offer.stages.back().ready = true;
    EXPECT_TRUE(differs(loading, ready));
    EXPECT_FALSE(changed([](node_status& s) { s.demand.clear(); }));
}

}  // namespace starling::peers
