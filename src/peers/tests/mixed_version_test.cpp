// A node of today and one of another version still serve each other. The other one's words are written out by hand.
#include "raw_node.hpp"

#include "wire/json_access.hpp"

namespace starling::peers {

using transport::soon;

constexpr std::string_view future_hello =
    R"("version":7,"oldest":1,"software":"99.0-beta","colour":{"deep":[1,null]},)";
constexpr std::string_view older_hello = R"("version":1,)";

class mixed_versions : public service_test {};

TEST_F(mixed_versions, ANodeOfTheFutureIsGreetedInTheOlderOnesVersion) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.connect(a);
        auto said = newer.hello_json(future_hello);
        const std::string answer = co_await newer.ask(std::move(said));
        const auto parsed = wire::parse_or_null(answer);
        EXPECT_EQ(wire::string_member(parsed, "type"), "hello") << answer;
        EXPECT_EQ(wire::count_member(parsed, "version"), 1);
        const std::string reply = co_await newer.ask(R"({"type":"prompt"})");
        EXPECT_EQ(reply, R"(you said {"type":"prompt"})");
        EXPECT_TRUE(newer.is_open());
    });
}

TEST_F(mixed_versions, ANodeThatDoesNotUnderstandUsAnyMoreIsToldWhy) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.connect(a);
        auto said = newer.hello_json(R"("version":7,"oldest":5,"software":"99.0",)");
        const std::string answer = co_await newer.ask(std::move(said));
        const auto parsed = wire::parse_or_null(answer);
        EXPECT_EQ(wire::string_member(parsed, "type"), "refused");
        EXPECT_EQ(wire::string_member(parsed, "code"), "unsupported");
        EXPECT_NE(wire::string_member(parsed, "message").find("update"), std::string_view::npos) << answer;
        co_await t.until([&] { return !newer.is_open(); });
    });
}

TEST_F(mixed_versions, AHelloWithoutWhatIsOptionalIsEnough) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node older(t);
        co_await older.connect(a);
        auto said = older.hello_json(older_hello);
        const std::string answer = co_await older.ask(std::move(said));
        EXPECT_NE(answer.find(R"("type":"hello")"), std::string::npos) << answer;
        const std::string reply = co_await older.ask(R"({"type":"prompt"})");
        EXPECT_FALSE(reply.empty());
    });
}

TEST_F(mixed_versions, StreamsOfUnknownKindsReachWhoRefusesThemAndTheLinkLives) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.enter(a);
        for (const char* kind :
             {R"({"type":"teleport","to":[1,2]})", R"({"type":7})", R"([])", "", "\x01\x02 no text"}) {
            const std::string answer = co_await newer.ask(kind);
            EXPECT_EQ(answer, "you said " + std::string(kind));
        }
        EXPECT_TRUE(newer.is_open());
        EXPECT_EQ(a.asked.size(), 5U);
    });
}

TEST_F(mixed_versions, StatusIsAnsweredWhateverElseIsAsked) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.enter(a);
        auto stream = co_await newer.open(R"({"type":"status","since":12,"compressed":"zstd"})");
        auto first = co_await stream.receive(soon());
        EXPECT_TRUE(first && parse_status(*first));
        told_model model;
        model.info.id = "m";
        a.status.models.push_back(model);
        a.life->status_changed();
        auto next = co_await stream.receive(soon());
        EXPECT_TRUE(next && next->find(R"("id":"m")") != std::string::npos);
    });
}

/// Tells `status` as an answer to the service's own question.
awaitable<void> tell(service_test& t, service_test::member& to, raw_node& by, std::string status,
                     std::function<bool(const node_status&)> arrived) {
    co_await by.enter(to);
    co_await by.introduce();
    auto stream = co_await by.accept("status");
    auto first = co_await stream.send(R"({"type":"status_delta","of":"a later version"})", soon());
    auto second = co_await stream.send(std::move(status), soon());
    EXPECT_TRUE(first && second);
    const auto is_there = [&] {
        const auto seen = view_of(to, by.id());
        return seen && seen->status && arrived(*seen->status);
    };
    co_await t.until(is_there);
}

TEST_F(mixed_versions, AStatusOfTheFutureIsTakenAsFarAsItIsUnderstood) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        std::string models;
        for (int i = 0; i < 300; ++i) {
            models += R"({"id":"m)" + std::to_string(i) + R"(","state":"hibernating","gpu":{"kind":"new"},"slots":4},)";
        }
        models += R"({"id":"last"},7,null)";
        std::string status = R"({"type":"status_response","v":7,"mood":"fine","health":{"score":"high","cpu":10},)"
                             R"("models":[)" +
                             models + "]}";
        co_await tell(t, a, newer, std::move(status), [](const node_status& s) { return !s.models.empty(); });
        const auto seen = view_of(a, newer.id());
        EXPECT_EQ(seen->status->models.size(), max_told_models);
        EXPECT_EQ(seen->status->models[0].info.id, "m0");
        EXPECT_EQ(seen->status->models[0].state, readiness::loading) << "not to be sent anything";
        EXPECT_EQ(seen->status->models[0].load.slots, 4);
        EXPECT_NEAR(seen->status->health.cpu_percent, 10.0, 1e-9);
    });
}

TEST_F(mixed_versions, AStatusWithNearlyNothingInItIsTaken) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node older(t);
        co_await tell(t, a, older, R"({"type":"status_response","models":[{"id":"m","state":"ready"}]})",
                      [](const node_status& s) { return s.models.size() == 1; });
        const auto seen = view_of(a, older.id());
        EXPECT_EQ(seen->status->models[0].state, readiness::ready);
        EXPECT_TRUE(seen->status->models[0].content.empty());
        EXPECT_TRUE(seen->status->demand.empty());
    });
}

TEST_F(mixed_versions, ARequestReachesItsHandlerWithFieldsThatNobodyKnows) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.enter(a);
        std::string question = R"({"type":"prompt","version":1,"model":"m","telepathy":true,"extra":{"a":[1,2,{}]}})";
        const std::string answer = co_await newer.ask(question);
        EXPECT_EQ(answer, "you said " + question);
    });
}

TEST_F(mixed_versions, AGossipStreamGoesOnAfterAMessageThatNobodyUnderstands) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        raw_node newer(t);
        co_await newer.enter(a);
        auto stream = co_await newer.open(R"({"type":"gossip","compressed":false})");
        for (const std::string& odd : {std::string("\xC8 a kind of the future"), std::string(), std::string(3, '\0')}) {
            auto sent = co_await stream.send(odd, soon());
            EXPECT_TRUE(sent);
        }
        EXPECT_TRUE(newer.link().send_datagram(transport::bytes_of("\xC8 likewise")));
        auto own = std::make_shared<const membership::record>(newer.record(1));
        const membership::message said = membership::sync_request{.sender = std::move(own), .buckets = {0}};
        auto sent = co_await stream.send(raw_node::text_of(encode(said)), soon());
        EXPECT_TRUE(sent);
        co_await t.until([&] { return view_of(a, newer.id()).has_value(); });
        EXPECT_EQ(view_of(a, newer.id())->said.name, "raw");
        EXPECT_TRUE(newer.is_open());
    });
}

}  // namespace starling::peers
