#include "service_fixture.hpp"

#include <algorithm>

namespace starling::peers {

TEST_F(service_test, EveryoneFindsEveryoneThroughOne) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        for (int i = 0; i < 4; ++i) {
            t.add(&a);
        }
        co_await t.until([&] {
            for (const auto& one : t.members_) {
                for (const auto& other : t.members_) {
                    if (one != other && !t.connected(*one, *other)) {
                        return false;
                    }
                }
            }
            return true;
        });
    });
}

TEST_F(service_test, StatusIsToldAtOnceAndWhenItChanges) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        told_model model;
        model.info.id = "m";
        model.content = "abc";
        model.state = readiness::ready;
        model.load.slots = 4;
        a.status.models.push_back(model);
        auto& b = t.add(&a);
        co_await t.until([&] {
            const auto seen = t.view(b, a);
            return seen && seen->status && seen->status->models.size() == 1;
        });
        EXPECT_EQ(t.view(b, a)->status->models[0].content, "abc");
        a.status.models[0].load.busy = 3;
        a.life->status_changed();
        co_await t.until([&] { return t.view(b, a)->status->models[0].load.busy == 3; });
    });
}

TEST_F(service_test, ARequestReachesItsHandler) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add(&a);
        co_await t.until([&] { return t.connected(b, a); });
        const auto seen = t.view(b, a);
        auto opened = co_await seen->connection->open(transport::soon());
        transport::message_stream stream(std::move(*opened));
        const std::string question = R"({"type":"prompt","model":"m"})";
        auto sent = co_await stream.send(question, transport::soon());
        auto answer = co_await stream.receive(transport::soon());
        EXPECT_TRUE(answer);
        EXPECT_EQ(*answer, "you said " + question);
    });
}

TEST_F(service_test, ARevokedMemberIsOutEverywhereAndKnowsIt) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add(&a);
        auto& c = t.add(&a);
        co_await t.until([&] { return t.connected(b, c) && t.connected(a, c) && t.connected(a, b); });
        a.life->revoke(admission::revoke(t.root_, c.keys.id(), wall_now()));
        co_await t.until([&] {
            const auto at_a = t.view(a, c);
            const auto at_b = t.view(b, c);
            return at_a->revoked && !at_a->connection && at_b->revoked && !at_b->connection;
        });
        EXPECT_EQ(b.kept.size(), 1U);
        co_await t.until([&] {
            return std::any_of(c.events.begin(), c.events.end(),
                               [](const event& e) { return e.kind == event_kind::self_revoked; });
        });
        a.life->add_contact({.id = c.keys.id(), .addresses = {text_of(c.where)}});
        co_await t.until([&] {
            return std::any_of(a.events.begin(), a.events.end(),
                               [&](const event& e) { return e.kind == event_kind::refused && e.id == c.keys.id(); });
        });
        co_await aio::pause(500ms);
        EXPECT_FALSE(t.view(a, c)->connection);
        EXPECT_FALSE(t.view(b, c)->connection);
        EXPECT_TRUE(t.connected(a, b));
        for (const auto* one : {&a, &b}) {
            EXPECT_TRUE(std::none_of(one->events.begin(), one->events.end(), [](const event& e) {
                return e.kind == event_kind::self_revoked;
            })) << "it is the other one that is out";
        }
    });
}

TEST_F(service_test, WhoStopsHasLeftAndIsNotCalledBack) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add(&a);
        auto& c = t.add(&a);
        co_await t.until([&] { return t.connected(b, c) && t.connected(a, c); });
        co_await c.life->stop();
        co_await t.until(
            [&] { return t.view(a, c)->state == member_state::left && t.view(b, c)->state == member_state::left; });
        c.life.reset();
        co_await aio::pause(100ms);
        EXPECT_FALSE(t.view(a, c)->connection);
    });
}

TEST_F(service_test, WhoIsBackWithinASecondIsAMemberAgain) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add(&a);
        co_await t.until([&] { return t.connected(a, b); });
        co_await b.life->stop();
        co_await t.until([&] { return t.view(a, b)->state == member_state::left; });
        b.life.reset();
        t.begin(b, &a);
        co_await t.until([&] { return t.connected(a, b) && t.connected(b, a); });
    });
}

TEST_F(service_test, AHintLeadsToAMember) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add();
        b.life->add_contact({.id = a.keys.id(), .addresses = {text_of(a.where)}});
        co_await t.until([&] { return t.connected(a, b) && t.connected(b, a); });
        EXPECT_EQ(b.life->contacts().size(), 1U);
    });
}

TEST_F(service_test, HintsOfStrangersAreNotKeptAndStandInNobodysWay) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add();
        for (std::size_t i = 0; i < 3 * max_hints; ++i) {
            b.life->add_contact({.id = keys::key_pair::generate().id(), .addresses = {"192.0.2.1:9"}});
            co_await aio::pause(1ms);
        }
        EXPECT_TRUE(b.life->contacts().empty());
        b.life->add_contact({.id = a.keys.id(), .addresses = {"192.0.2.1:9"}});
        b.life->add_contact({.id = a.keys.id(), .addresses = {text_of(a.where)}});
        co_await t.until([&] { return t.connected(a, b) && t.connected(b, a); });
    });
}

TEST(address, OfOneLinkKeepsItsScope) {
    const auto where = parse_address("[fe80::1%1]:9338");
    ASSERT_TRUE(where);
    EXPECT_EQ(where->address().to_v6().scope_id(), 1U);
    EXPECT_FALSE(parse_address("kitchen:9338"));
}

TEST_F(service_test, ALineThatWasCutIsNoticedAndHeals) {
    run([](service_test& t) -> awaitable<void> {
        auto& a = t.add();
        auto& b = t.add(&a);
        co_await t.until([&] { return t.connected(a, b) && t.connected(b, a); });
        t.network_.cut(a.where, b.where);
        co_await t.until([&] { return !t.view(a, b)->connection && !t.view(b, a)->connection; });
        t.network_.heal(a.where, b.where);
        co_await t.until([&] { return t.connected(a, b) && t.connected(b, a); });
    });
}

}  // namespace starling::peers
