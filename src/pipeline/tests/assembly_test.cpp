#include "pipeline/assembly.hpp"

#include "pipeline/tests/fakes.hpp"

#include <gtest/gtest.h>

namespace starling::pipeline {

using namespace std::chrono_literals;

class assembly_world {
  public:
    assembly_world() {
        host_options quick;
        quick.heartbeat = 20ms;
        quick.keep_loaded = 0ms;
        for (std::uint8_t which = 0; which < 4; ++which) {
            nodes.push_back(std::make_unique<fake_node>(io.get_executor(), net, which, quick));
        }
        spec.deployment = 7;
        spec.coordinator = nodes[0]->id;
        spec.model = "m";
        spec.content = "c";
        spec.layers = 8;
        spec.context = 32;
        spec.sequences = 1;
        spec.step_tokens = 8;
        spec.remote = {{.node = nodes[1]->id, .first = 0, .end = 2},
                       {.node = nodes[2]->id, .first = 2, .end = 4},
                       {.node = nodes[3]->id, .first = 4, .end = 6}};
        how.silence = 150ms;
        how.limit = 400ms;
    }

    awaitable<void> expect_failure(errc why, std::size_t at, std::optional<node_id> about = {}) {
        auto running = assemble(spec, *nodes[0], how);
        auto made = co_await std::move(running);
        EXPECT_TRUE(made.failed);
        EXPECT_TRUE(made.stages.empty());
        if (made.failed) {
            EXPECT_TRUE(made.failed->why == why) << made.failed->why.message;
            EXPECT_EQ(made.failed->node, nodes[at]->id);
            EXPECT_EQ(made.failed->about, about);
        }
        for (int i = 0; i < 2'000 && alive() != 0; ++i) {
            co_await aio::pause(1ms);
        }
        EXPECT_EQ(alive(), 0) << "everything that was opened is closed again";
        ++spec.epoch;
    }

    int alive() const {
        int out = 0;
        for (const auto& node : nodes) {
            out += node->as->engines + static_cast<int>(node->host->stages().size());
        }
        return out;
    }

    void run(awaitable<void> test) {
        std::exception_ptr thrown;
        asio::co_spawn(io, finish(std::move(test)), [&](std::exception_ptr e) { thrown = e; });
        io.run();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    }

    awaitable<void> finish(awaitable<void> test) {
        for (std::size_t other = 1; other < nodes.size(); ++other) {
            co_await connect(*nodes[0], *nodes[other]);
        }
        const auto failed = co_await outcome_of(std::move(test));
        for (const auto& node : nodes) {
            node->die();
            co_await node->tasks.join();
        }
        if (failed) {
            std::rethrow_exception(failed);
        }
    }

    asio::io_context io{1};
    transport::memory_network net{io.get_executor()};
    std::vector<std::unique_ptr<fake_node>> nodes;
    chain_spec spec;
    assembly_options how;
};

TEST(Assembly, StagesLoadAtTheSameTime) {
    assembly_world world;
    world.run([](assembly_world& t) -> awaitable<void> {
        for (const auto& node : t.nodes) {
            node->as->load_ms = 200;
        }
        const auto began = std::chrono::steady_clock::now();
        auto running = assemble(t.spec, *t.nodes[0], t.how);
        auto made = co_await std::move(running);
        EXPECT_FALSE(made.failed);
        EXPECT_LT(std::chrono::steady_clock::now() - began, 390ms);
        EXPECT_EQ(made.stages.size(), 3U);
        EXPECT_EQ(made.stages[1].node, t.nodes[2]->id);
        EXPECT_EQ(made.stages[1].layers, (layer_range{.first = 2, .end = 4, .of = 8}));
        EXPECT_EQ(made.stages[1].memory_bytes, 1'000U);
        EXPECT_EQ(made.stages[1].width, fake_width);
    }(world));
}

TEST(Assembly, TheFirstFailureIsNamedAndClosesTheRest) {
    assembly_world world;
    world.run([](assembly_world& t) -> awaitable<void> {
        t.nodes[2]->as->refuses = fail(errc::no_memory, "Too little.");
        co_await t.expect_failure(errc::no_memory, 2);
        t.nodes[2]->as->refuses.reset();
        t.nodes[3]->lease_denied = stage_refused{.why = fail(errc::busy, "Held."), .about = t.nodes[1]->id};
        co_await t.expect_failure(errc::busy, 3, t.nodes[1]->id);
        t.nodes[3]->lease_denied.reset();
        t.nodes[3]->as->width = fake_width + 1;
        co_await t.expect_failure(errc::wrong_shape, 3);
        t.how.width = fake_width + 1;
        co_await t.expect_failure(errc::wrong_shape, 1);
        t.how.width = 0;
        t.nodes[3]->as->width = fake_width;
        t.nodes[2]->as->load_ms = 60'000;
        co_await t.expect_failure(errc::stalled, 2);
        t.nodes[2]->as->load_ms = 0;
        const auto link = t.nodes[0]->links[t.nodes[2]->id];
        t.nodes[0]->links.erase(t.nodes[2]->id);
        co_await t.expect_failure(errc::no_link, 2);
    }(world));
}

TEST(Assembly, ANodeThatGoesWhileItLoadsIsLost) {
    assembly_world world;
    world.run([](assembly_world& t) -> awaitable<void> {
        for (const auto& node : t.nodes) {
            node->as->load_ms = 60'000;
        }
        t.how.limit = 5s;
        t.nodes[1]->tasks.spawn([](assembly_world& of) -> awaitable<void> {
            co_await aio::pause(30ms);
            of.nodes[3]->die();
        }(t));
        co_await t.expect_failure(errc::lost, 3);
        t.net.cut(t.nodes[0]->endpoint->local(), t.nodes[1]->endpoint->local());
        t.spec.remote.pop_back();
        auto running = assemble(t.spec, *t.nodes[0], t.how);
        auto made = co_await std::move(running);
        EXPECT_TRUE(made.failed && made.failed->why == errc::lost) << "not heard of in time";
        EXPECT_EQ(made.failed->node, t.nodes[1]->id);
    }(world));
}

/// Answers stage_open with whatever the test wants to hear.
awaitable<void> lie(std::shared_ptr<transport::connection> on, std::string answer) {
    auto opened = co_await on->accept(steady_time::max());
    transport::message_stream stream(std::move(*opened));
    auto first = co_await stream.receive(steady_time::max());
    co_await stream.send(std::move(answer), steady_time::max());
    auto more = co_await stream.receive(steady_time::max());
}

TEST(Assembly, AStageThatLiesIsFound) {
    const std::vector<std::pair<std::string, errc>> lies{
        {R"({"type":"stage_ready","first":0,"end":3,"of_layers":8,"width":5,"memory_bytes":1})", errc::wrong_shape},
        {R"({"type":"stage_ready","first":0,"end":2,"of_layers":9,"width":5,"memory_bytes":1})", errc::wrong_shape},
        {R"({"type":"stage_ready","first":0,"end":2,"of_layers":8,"width":4,"memory_bytes":1})", errc::wrong_shape},
        {R"({"type":"stage_ready","first":0,"end":2,"of_layers":8,"width":-4,"memory_bytes":1})", errc::out_of_range},
        {R"({"type":"stage_state","steps":1})", errc::malformed},
        {R"({"type":"status"})", errc::unsupported},
        {"garbage", errc::malformed}};
    for (const auto& [answer, why] : lies) {
        assembly_world world;
        world.spec.remote.resize(1);
        world.how.width = fake_width;
        const auto liar_id = test_node(9);
        world.spec.remote[0].node = liar_id;
        world.run([](assembly_world& t, node_id id, std::string says, errc expected) -> awaitable<void> {
            auto liar = t.net.add(id);
            auto made = co_await t.nodes[0]->endpoint->connect(liar->local(), id, steady_time::max());
            t.nodes[0]->links[id] = *made;
            auto taken = co_await liar->accept();
            t.nodes[0]->tasks.spawn(lie(*taken, says));
            auto running = assemble(t.spec, *t.nodes[0], t.how);
            auto outcome = co_await std::move(running);
            EXPECT_TRUE(outcome.failed && outcome.failed->why == expected) << says;
        }(world, liar_id, answer, why));
    }
}

}  // namespace starling::pipeline
