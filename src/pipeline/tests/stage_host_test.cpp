// A stage against everything that others may do to it: each has an outcome with a code of its own.
#include "pipeline/stage_host.hpp"

#include "pipeline/tests/fakes.hpp"

#include <gtest/gtest.h>

namespace starling::pipeline {

using namespace std::chrono_literals;

/// Node 1 hosts the middle stage of three; the test itself is coordinator (0), the stage before (2), the one behind
/// (3), and a stranger (4).
class host_world {
  public:
    host_world() {
        host_options quick;
        quick.heartbeat = 20ms;
        quick.frame_time = 100ms;
        quick.max_stages = 2;
        quick.keep_loaded = 100ms;
        quick.handover_time = 400ms;
        for (std::uint8_t which = 0; which < 5; ++which) {
            nodes.push_back(std::make_unique<fake_node>(io.get_executor(), net, which, quick));
        }
        asked.deployment = 5;
        asked.epoch = 3;
        asked.coordinator = nodes[0]->id;
        asked.model = "m";
        asked.content = "c";
        asked.stages = {nodes[2]->id, nodes[1]->id, nodes[3]->id};
        asked.index = 1;
        asked.layers = {.first = 2, .end = 4, .of = 8};
        asked.context = 32;
        asked.sequences = 2;
        asked.step_tokens = 8;
        asked.numbers = number_type::f32;
    }

    /// As the coordinator.
    awaitable<std::unique_ptr<transport::message_stream>> open(stage_open what, std::size_t as = 0) {
        auto on = co_await nodes[as]->find(nodes[1]->id)->open(steady_time::max());
        auto control = std::make_unique<transport::message_stream>(std::move(*on));
        const stage_message message(std::move(what));
        co_await control->send(to_json(message), steady_time::max());
        co_return control;
    }

    /// The first message that is neither progress nor state.
    awaitable<result<stage_message>> answer(transport::message_stream* from) {
        for (;;) {
            auto got = co_await from->receive(std::chrono::steady_clock::now() + 5s);
            if (!got) {
                co_return got.error();
            }
            auto parsed = parse_stage_message(*got);
            if (!parsed ||
                (!std::holds_alternative<stage_progress>(*parsed) && !std::holds_alternative<stage_state>(*parsed))) {
                co_return parsed;
            }
        }
    }

    awaitable<void> expect_ready(transport::message_stream* from) {
        auto got = co_await answer(from);
        EXPECT_TRUE(got && std::holds_alternative<stage_ready>(*got));
    }

    awaitable<void> expect_refused(transport::message_stream* from, errc why, std::optional<node_id> about = {}) {
        auto got = co_await answer(from);
        EXPECT_TRUE(got) << describe(why);
        const auto* refused = got ? std::get_if<stage_refused>(&*got) : nullptr;
        EXPECT_NE(refused, nullptr) << describe(why);
        if (refused != nullptr) {
            EXPECT_TRUE(refused->why == why) << refused->why.message << ", not " << describe(why);
            EXPECT_EQ(refused->about, about) << describe(why);
        }
    }

    /// As the stage before.
    awaitable<std::unique_ptr<transport::stream>> open_data(std::size_t as, stage_data what) {
        auto on = co_await nodes[as]->find(nodes[1]->id)->open(steady_time::max());
        const stage_message message(what);
        const auto frame = wire::framed(to_json(message));
        co_await (*on)->write(frame, steady_time::max());
        co_return std::move(*on);
    }

    stage_data data() const { return {.deployment = asked.deployment, .epoch = asked.epoch, .index = 1}; }

    bytes frame(step_number number, llama::step step) {
        data_frame out;
        out.number = number;
        out.step = std::move(step);
        out.computed_us = {10};
        out.activations.assign(out.step.tokens.size() * fake_width, 1.5F);
        bytes written;
        EXPECT_TRUE(encode(out, limits_into(asked, fake_width), &written));
        return written;
    }

    /// Opens the stage, sends these bytes as the stage before it, and expects this end.
    awaitable<void> expect_end(bytes sent, errc why) {
        auto control = co_await open(asked);
        co_await expect_ready(control.get());
        auto on = co_await open_data(2, data());
        co_await on->write(sent, steady_time::max());
        co_await expect_refused(control.get(), why, nodes[2]->id);
        ++asked.epoch;
    }

    awaitable<bool> until(std::function<bool()> holds) {
        for (int i = 0; i < 5'000 && !holds(); ++i) {
            co_await aio::pause(1ms);
        }
        co_return holds();
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
        for (std::size_t other : {0U, 2U, 3U, 4U}) {
            co_await connect(*nodes[other], *nodes[1]);
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
    stage_open asked;
};

template <class T>
bytes with(bytes from, std::size_t at, T value) {
    std::memcpy(from.data() + frame_length_bytes + at, &value, sizeof value);
    return from;
}

TEST(StageHost, AStageIsLoadedAndWorks) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        t.nodes[1]->as->load_ms = 50;
        auto control = co_await t.open(t.asked);
        auto first = co_await control->receive(steady_time::max());
        EXPECT_NE(first->find("stage_progress"), std::string::npos) << "it says that it lives while it loads";
        EXPECT_EQ(t.nodes[1]->host->stages().at(0).loaded, 0.5);
        auto ready = co_await t.answer(control.get());
        EXPECT_TRUE(ready);
        EXPECT_EQ(std::get<stage_ready>(*ready).layers, t.asked.layers);
        EXPECT_EQ(std::get<stage_ready>(*ready).width, fake_width);
        auto on = co_await t.open_data(2, t.data());
        const auto sent = t.frame(0, tokens_of(0, 0, {3, 4}));
        co_await on->write(sent, steady_time::max());
        const bool passed_on = co_await t.until([&] { return !t.nodes[3]->refused.empty(); });
        EXPECT_TRUE(passed_on) << "the stage behind it, which does not exist here, was offered the stream";
        EXPECT_TRUE(t.nodes[3]->refused[0] == errc::unknown_deployment);
        co_await t.expect_refused(control.get(), errc::unknown_deployment, t.nodes[3]->id);
    }(world));
}

TEST(StageHost, OpeningsThatCannotBeAreRefused) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto what = t.asked;
        auto control = co_await t.open(what, 4);
        co_await t.expect_refused(control.get(), errc::wrong_node);
        what.index = 0;
        control = co_await t.open(what);
        co_await t.expect_refused(control.get(), errc::wrong_node);
        what = t.asked;
        what.stages.pop_back();
        what.stages.push_back(t.asked.coordinator);
        control = co_await t.open(what);
        co_await t.expect_refused(control.get(), errc::malformed);
        t.nodes[1]->lease_denied = stage_refused{.why = fail(errc::busy, "Held."), .about = t.nodes[4]->id};
        control = co_await t.open(t.asked);
        co_await t.expect_refused(control.get(), errc::busy, t.nodes[4]->id);
        t.nodes[1]->lease_denied.reset();
        t.nodes[1]->as->refuses = fail(errc::no_memory, "It needs 5 GiB and there are 2.");
        control = co_await t.open(t.asked);
        co_await t.expect_refused(control.get(), errc::no_memory);
        t.nodes[1]->as->refuses.reset();
        t.nodes[1]->as->lies_about_layers = 1;
        control = co_await t.open(t.asked);
        co_await t.expect_refused(control.get(), errc::load_failed);
        t.nodes[1]->as->lies_about_layers = 0;
        const bool left = co_await t.until([&] { return t.nodes[1]->host->stages().empty(); });
        EXPECT_TRUE(left);
        EXPECT_EQ(t.nodes[1]->as->engines, 0);
    }(world));
}

TEST(StageHost, ThereAreOnlySoMany) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        std::vector<std::unique_ptr<transport::message_stream>> open;
        for (int i = 0; i < 3; ++i) {
            ++t.asked.deployment;
            open.push_back(co_await t.open(t.asked));
            if (i < 2) {
                co_await t.expect_ready(open.back().get());
            }
        }
        co_await t.expect_refused(open.back().get(), errc::busy);
        open.erase(open.begin());
        const bool released = co_await t.until([&] { return t.nodes[1]->host->stages().size() == 1; });
        EXPECT_TRUE(released);
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
    }(world));
}

TEST(StageHost, BytesThatBreakARuleEndTheStageWithItsName) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        const auto one = [&t] { return t.frame(0, tokens_of(0, 0, {3})); };
        const std::size_t activations = frame_header_bytes + 4 + 12;
        co_await t.expect_end(with(one(), activations, std::numeric_limits<float>::quiet_NaN()), errc::not_finite);
        co_await t.expect_end(with(one(), activations, std::numeric_limits<float>::infinity()), errc::not_finite);
        co_await t.expect_end(with(one(), 12, t.asked.epoch - 1), errc::stale_epoch);
        co_await t.expect_end(with(one(), 4, std::uint64_t{9}), errc::unknown_deployment);
        co_await t.expect_end(with(one(), 32, std::uint32_t{fake_width + 1}), errc::wrong_shape);
        co_await t.expect_end(with(one(), 28, std::uint32_t{2}), errc::wrong_shape);
        co_await t.expect_end(with(one(), frame_header_bytes + 4 + 8, std::uint32_t{7}), errc::out_of_range);
        const auto later = t.frame(1, tokens_of(0, 0, {3}));
        co_await t.expect_end(later, errc::gap);
        auto twice = one();
        const auto again = one();
        twice.insert(twice.end(), again.begin(), again.end());
        co_await t.expect_end(twice, errc::duplicate_step);
        const bytes too_long{0x7f, 0xff, 0xff, 0xff};
        co_await t.expect_end(too_long, errc::too_large);
        const bytes too_short{0, 0, 0, 1};
        co_await t.expect_end(too_short, errc::malformed);
        bytes garbage(200, 0xa5);
        garbage[0] = garbage[1] = garbage[2] = 0;
        garbage[3] = 100;
        co_await t.expect_end(garbage, errc::unsupported);
    }(world));
}

TEST(StageHost, APeerThatStallsInAFrameIsNoticed) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto part = t.frame(0, tokens_of(0, 0, {3}));
        part.resize(part.size() - 3);
        co_await t.expect_end(part, errc::stalled);
        const bytes half_a_length{0, 0};
        co_await t.expect_end(half_a_length, errc::stalled);
    }(world));
}

TEST(StageHost, ASilentButWholeStreamIsFine) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        auto on = co_await t.open_data(2, t.data());
        co_await aio::pause(250ms);
        EXPECT_EQ(t.nodes[1]->host->stages().size(), 1U);
        on->reset();
        co_await t.expect_refused(control.get(), errc::lost, t.nodes[2]->id);
    }(world));
}

TEST(StageHost, DataStreamsOfOthersAreRefusedAndHarmNobody) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        const auto refused_with = [&t](std::size_t as, stage_data what, errc why) -> awaitable<void> {
            auto on = co_await t.open_data(as, what);
            transport::message_stream messages(std::move(on));
            co_await t.expect_refused(&messages, why);
        };
        co_await refused_with(4, t.data(), errc::wrong_node);
        co_await refused_with(0, t.data(), errc::wrong_node);
        auto other = t.data();
        --other.epoch;
        co_await refused_with(2, other, errc::stale_epoch);
        other = t.data();
        other.index = 2;
        co_await refused_with(2, other, errc::unknown_deployment);
        other = t.data();
        ++other.deployment;
        co_await refused_with(2, other, errc::unknown_deployment);
        auto right = co_await t.open_data(2, t.data());
        co_await aio::pause(5ms);
        co_await refused_with(2, t.data(), errc::second_stream);
        EXPECT_EQ(t.nodes[1]->host->stages().size(), 1U) << "the stage goes on";
        EXPECT_EQ(t.nodes[1]->inlets.refused(), 6U);
    }(world));
}

TEST(StageHost, AnEngineThatBreaksSaysItWasItself) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        t.nodes[1]->as->breaks_at = 0;
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        auto on = co_await t.open_data(2, t.data());
        const auto sent = t.frame(0, tokens_of(0, 0, {3}));
        co_await on->write(sent, steady_time::max());
        co_await t.expect_refused(control.get(), errc::engine_failed);
        const bool gone = co_await t.until([&] { return t.nodes[1]->as->engines == 0; });
        EXPECT_TRUE(gone);
    }(world));
}

TEST(StageHost, AStageThatCannotReachTheNextSaysSo) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        t.nodes[1]->links.erase(t.nodes[3]->id);
        auto on = co_await t.open_data(2, t.data());
        const auto sent = t.frame(0, tokens_of(0, 0, {3}));
        co_await on->write(sent, steady_time::max());
        co_await t.expect_refused(control.get(), errc::no_link, t.nodes[3]->id);
    }(world));
}

TEST(StageHost, LosingTheCoordinatorReleasesTheStageInEveryPhase) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        t.nodes[1]->as->load_ms = 60'000;
        auto control = co_await t.open(t.asked);
        co_await aio::pause(5ms);
        EXPECT_EQ(t.nodes[1]->host->stages().size(), 1U);
        control.reset();
        bool left = co_await t.until([&] { return t.nodes[1]->host->stages().empty(); });
        EXPECT_TRUE(left) << "while it loads";

        t.nodes[1]->as->load_ms = 0;
        t.nodes[1]->as->step_ms = 200;
        control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        auto on = co_await t.open_data(2, t.data());
        const auto sent = t.frame(0, tokens_of(0, 0, {3}));
        co_await on->write(sent, steady_time::max());
        co_await aio::pause(5ms);
        control.reset();
        left = co_await t.until([&] { return t.nodes[1]->host->stages().empty(); });
        EXPECT_TRUE(left) << "while it computes";
        EXPECT_EQ(t.nodes[1]->as->engines, 1) << "it stays loaded for a while";
        const bool gone = co_await t.until([&] { return t.nodes[1]->as->engines == 0; });
        EXPECT_TRUE(gone);
    }(world));
}

TEST(StageHost, ClosingInOrderAndGarbageOnTheControlStreamEndIt) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        const stage_message close(stage_close{"The model was removed."});
        co_await control->send(to_json(close), steady_time::max());
        co_await t.expect_refused(control.get(), errc::closed);
        ++t.asked.epoch;
        control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        co_await control->send("garbage", steady_time::max());
        co_await t.expect_refused(control.get(), errc::malformed);
        const bool left = co_await t.until([&] { return t.nodes[1]->host->stages().empty(); });
        EXPECT_TRUE(left);
    }(world));
}

TEST(StageHost, ANewerEpochTakesOverAndAnOlderOneIsRefused) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        auto before = co_await t.open(t.asked);
        co_await t.expect_ready(before.get());
        auto same = co_await t.open(t.asked);
        co_await t.expect_refused(same.get(), errc::stale_epoch);
        ++t.asked.epoch;
        auto newer = co_await t.open(t.asked);
        co_await t.expect_refused(before.get(), errc::superseded);
        co_await t.expect_ready(newer.get());
        EXPECT_EQ(t.nodes[1]->as->loads, 1);
        ++t.asked.epoch;
        t.asked.layers.end = 5;
        auto other = co_await t.open(t.asked);
        co_await t.expect_ready(other.get());
        EXPECT_EQ(t.nodes[1]->as->loads, 2) << "other layers";
        EXPECT_EQ(t.nodes[1]->as->engines, 1) << "and the old ones are given up";
    }(world));
}

TEST(StageHost, ASlowStageTakesNoMoreThanItHasRoomFor) {
    host_world world;
    world.run([](host_world& t) -> awaitable<void> {
        t.nodes[1]->as->step_ms = 60'000;
        auto control = co_await t.open(t.asked);
        co_await t.expect_ready(control.get());
        auto on = co_await t.open_data(2, t.data());
        const auto size = t.frame(0, tokens_of(0, 0, {3})).size();
        for (std::size_t i = 0; i < 3 * held_steps; ++i) {
            const auto sent = t.frame(i, tokens_of(0, static_cast<llama::position>(i % 32), {3}));
            co_await on->write(sent, steady_time::max());
        }
        co_await aio::pause(50ms);
        EXPECT_EQ(t.nodes[1]->host->stages().at(0).figures.received_bytes, held_steps * size);
    }(world));
}

}  // namespace starling::pipeline
