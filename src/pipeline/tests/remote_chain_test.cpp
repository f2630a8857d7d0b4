#include "pipeline/remote_chain.hpp"

#include "pipeline/tests/fakes.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace starling::pipeline {

using namespace std::chrono_literals;

constexpr std::int32_t all_layers = 8;

class chain_world {
  public:
    chain_world() {
        host_options quick;
        quick.heartbeat = 20ms;
        quick.frame_time = 300ms;
        quick.handover_time = 400ms;
        for (std::uint8_t which = 0; which < 5; ++which) {
            nodes.push_back(std::make_unique<fake_node>(io.get_executor(), net, which, quick));
        }
        spec.deployment = 77;
        spec.coordinator = nodes[0]->id;
        spec.model = "m";
        spec.content = "sha256:0";
        spec.layers = all_layers;
        spec.context = 64;
        spec.sequences = 4;
        spec.step_tokens = 16;
        spec.numbers = number_type::f32;
        options.silence = 200ms;
        options.frame_time = 300ms;
        options.step_time = 2s;
        place({1, 2, 3});
        make_driver();
    }

    void make_driver() {
        driver = std::make_unique<chain_driver>(
            io.get_executor(), nodes[0]->inlets, *nodes[0], options,
            [this](const node_id& node, const error& why) { lost.push_back({.node = node, .why = why, .about = {}}); });
    }

    /// Two layers for each of these nodes; the rest is the coordinator's.
    void place(std::vector<std::size_t> which) {
        spec.remote.clear();
        std::int32_t first = 0;
        for (const std::size_t one : which) {
            spec.remote.push_back(
                {.node = test_node(static_cast<std::uint8_t>(one)), .first = first, .end = first + 2});
            first += 2;
        }
    }

    std::unique_ptr<final_stage> last() {
        const std::int32_t first = spec.remote.back().end;
        return std::make_unique<fake_final>(layer_range{.first = first, .end = all_layers, .of = all_layers}, &out);
    }

    awaitable<void> set_up() {
        for (std::size_t a = 0; a < nodes.size(); ++a) {
            for (std::size_t b = a + 1; b < nodes.size(); ++b) {
                co_await connect(*nodes[a], *nodes[b]);
            }
        }
    }

    awaitable<assembled> assemble_all() {
        assembly_options how;
        how.silence = 200ms;
        how.width = fake_width;
        auto running =
            assemble(spec, *nodes[0], how, [this](std::size_t index, double fraction) { progress[index] = fraction; });
        auto made = co_await std::move(running);
        co_return made;
    }

    awaitable<void> wire() {
        auto made = co_await assemble_all();
        EXPECT_FALSE(made.failed) << made.failed->why.message;
        driver->rewire(spec, std::move(made.stages));
    }

    awaitable<void> begin() {
        co_await set_up();
        chain = driver->make_chain(last());
        chain->notify([this] { ++notified; });
        co_await wire();
    }

    /// The engine thread's part, without blocking the network.
    awaitable<result<void>> collect() {
        for (int i = 0; i < 5'000 && !chain->ready(); ++i) {
            co_await aio::pause(1ms);
        }
        EXPECT_TRUE(chain->ready());
        co_return chain->collect();
    }

    awaitable<bool> until(std::function<bool()> holds) {
        for (int i = 0; i < 5'000 && !holds(); ++i) {
            co_await aio::pause(1ms);
        }
        co_return holds();
    }

    /// What all layers in one place make of the same steps.
    std::vector<float> expected(const llama::step& step) {
        return *fake_layers({.first = 0, .end = all_layers, .of = all_layers}, step, {}, reference);
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
        const auto failed = co_await outcome_of(std::move(test));
        auto stopping = driver->stop();
        co_await std::move(stopping);
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
    chain_options options;
    std::vector<stage_failure> lost;
    std::map<std::size_t, double> progress;
    std::vector<float> out;
    fake_cache reference;
    std::unique_ptr<chain_driver> driver;
    std::unique_ptr<llama::stage_chain> chain;
    std::atomic<int> notified = 0;
};

TEST(RemoteChain, StepsGoThroughEveryStageInOrder) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        EXPECT_TRUE(t.chain->usable());
        EXPECT_EQ(t.chain->depth(), 4U);
        EXPECT_EQ(t.chain->widest(), 16);
        EXPECT_EQ(t.progress, (std::map<std::size_t, double>{{0, 1.0}, {1, 1.0}, {2, 1.0}}));
        const auto first = tokens_of(0, 0, {1, 2, 3});
        auto second = tokens_of(0, 3, {4});
        second.tokens.push_back({.token = 9, .at = 0, .sequence = 2, .output = true});
        t.chain->submit(first);
        t.chain->submit(second);
        auto done = co_await t.collect();
        EXPECT_TRUE(done) << done.error().message;
        EXPECT_EQ(t.out, t.expected(first));
        done = co_await t.collect();
        EXPECT_TRUE(done);
        EXPECT_EQ(t.out, t.expected(second));
        llama::step third = tokens_of(3, 2, {7});
        third.edits.emplace_back(llama::prefix_copy{.from = 0, .to = 3, .length = 2});
        third.edits.emplace_back(llama::truncation{.sequence = 2, .from = 0});
        t.chain->submit(third);
        auto hidden = co_await t.collect();
        EXPECT_TRUE(hidden);
        EXPECT_EQ(t.out, t.expected(third));
        const auto figures = t.driver->figures();
        EXPECT_EQ(figures.steps, 3U);
        EXPECT_GT(figures.round_trip_ms, 0.0);
        EXPECT_EQ(figures.stages.size(), 3U);
        EXPECT_GT(figures.sent_bytes, 3 * frame_header_bytes);
        // Three tokens: two frames of activations, five numbers of four bytes each, and what goes before them.
        EXPECT_EQ(figures.received_bytes, 3 * (4 + frame_header_bytes + 12) + 6 * (12 + 20) + 2 * 16);
        EXPECT_GT(t.notified, 2);
    }(world));
}

TEST(RemoteChain, ManyStepsInFlightComeBackInOrder) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        for (int i = 0; i < 40; ++i) {
            t.chain->submit(tokens_of(i % 4, i / 4, {i}));
        }
        for (int i = 0; i < 40; ++i) {
            auto done = co_await t.collect();
            EXPECT_TRUE(done);
            EXPECT_EQ(t.out, t.expected(tokens_of(i % 4, i / 4, {i})));
        }
    }(world));
}

TEST(RemoteChain, HiddenStatesComeWithoutTheLastStage) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {5, 6}));
        const bool ready = co_await t.until([&] { return t.chain->ready(); });
        EXPECT_TRUE(ready);
        const auto hidden = t.chain->collect_hidden();
        EXPECT_TRUE(hidden);
        fake_cache cache;
        EXPECT_EQ(*hidden, *fake_layers({.first = 0, .end = 6, .of = 8}, tokens_of(0, 0, {5, 6}), {}, cache));
    }(world));
}

TEST(RemoteChain, AnEngineThreadDrivesIt) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        std::atomic<int> right = 0;
        std::atomic<bool> done = false;
        std::thread engine([&] {
            for (int i = 0; i < 60; ++i) {
                t.chain->submit(tokens_of(0, i, {i}));
                if (t.chain->collect() && t.out == t.expected(tokens_of(0, i, {i}))) {
                    ++right;
                }
            }
            done = true;
        });
        const bool ended = co_await t.until([&] { return done.load(); });
        EXPECT_TRUE(ended);
        engine.join();
        EXPECT_EQ(right, 60);
    }(world));
}

TEST(RemoteChain, ALostNodeEndsEveryStepAndIsNamed) {
    for (const std::size_t victim : {1U, 2U, 3U}) {
        SCOPED_TRACE(victim);
        chain_world t;
        t.run([](chain_world& of, std::size_t dies) -> awaitable<void> {
            co_await of.begin();
            of.nodes[2]->as->step_ms = 20;
            of.chain->submit(tokens_of(0, 0, {1}));
            of.chain->submit(tokens_of(1, 0, {2}));
            co_await aio::pause(5ms);
            of.nodes[dies]->die();
            auto lost = co_await of.collect();
            EXPECT_TRUE(lost.error() == llama::errc::stages_lost);
            EXPECT_FALSE(of.chain->usable());
            EXPECT_FALSE(of.chain->ended());
            EXPECT_FALSE(of.chain->ready()) << "the steps went together";
            const bool told = co_await of.until([&] { return !of.lost.empty(); });
            EXPECT_TRUE(told);
            EXPECT_EQ(of.lost.size(), 1U);
            EXPECT_EQ(of.lost[0].node, of.nodes[dies]->id) << of.lost[0].why.message;
            EXPECT_TRUE(of.lost[0].why == errc::lost) << of.lost[0].why.message;
            co_await aio::pause(20ms);
            EXPECT_EQ(of.lost.size(), 1U);
        }(t, victim));
    }
}

TEST(RemoteChain, AChainIsPutTogetherAnewWithWhatIsLoaded) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {1, 2}));
        auto done = co_await t.collect();
        EXPECT_TRUE(done);
        t.nodes[2]->die();
        co_await t.until([&] { return !t.lost.empty(); });
        EXPECT_TRUE(t.chain->ready()) << "the loss is told even though no step was out";
        auto lost = t.chain->collect();
        EXPECT_TRUE(lost.error() == llama::errc::stages_lost);
        EXPECT_FALSE(t.chain->ready());
        t.spec.epoch = 2;
        t.place({1, 4, 3});
        co_await t.wire();
        EXPECT_TRUE(t.chain->usable());
        t.reference.clear();
        t.chain->submit(tokens_of(0, 0, {1, 2, 3}));
        done = co_await t.collect();
        EXPECT_TRUE(done) << done.error().message;
        EXPECT_EQ(t.out, t.expected(tokens_of(0, 0, {1, 2, 3})));
        EXPECT_EQ(t.nodes[1]->as->loads, 1) << "its stage was still there";
        EXPECT_EQ(t.nodes[3]->as->loads, 1);
        EXPECT_EQ(t.nodes[4]->as->loads, 1);
        EXPECT_EQ(t.nodes[1]->as->clears, 2) << "and empty";
        EXPECT_EQ(t.driver->figures().epoch, 2U);
        EXPECT_EQ(t.driver->figures().steps, 2U);
    }(world));
}

TEST(RemoteChain, ALossIsToldEvenWhenTheChainIsWholeAgainBefore) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {1}));
        auto done = co_await t.collect();
        EXPECT_TRUE(done);
        t.spec.epoch = 2;
        co_await t.wire();
        EXPECT_FALSE(t.chain->usable());
        t.chain->submit(tokens_of(0, 1, {2}));
        auto lost = co_await t.collect();
        EXPECT_TRUE(lost.error() == llama::errc::stages_lost);
        EXPECT_TRUE(t.chain->usable());
        t.chain->submit(tokens_of(0, 0, {1, 2}));
        done = co_await t.collect();
        EXPECT_TRUE(done);
        t.reference.clear();
        EXPECT_EQ(t.out, t.expected(tokens_of(0, 0, {1, 2})));
        EXPECT_EQ(t.nodes[1]->as->loads, 1) << "the newer epoch took the stage over";
        EXPECT_TRUE(t.lost.empty()) << "nobody was lost";
    }(world));
}

TEST(RemoteChain, TheCoordinatorsOwnStageCanChangeToo) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {1}));
        auto done = co_await t.collect();
        t.nodes[3]->die();
        co_await t.until([&] { return !t.lost.empty(); });
        t.spec.epoch = 2;
        t.place({1, 2});
        auto made = co_await t.assemble_all();
        EXPECT_FALSE(made.failed);
        t.driver->rewire(t.spec, std::move(made.stages), t.last());
        auto lost = co_await t.collect();
        EXPECT_FALSE(lost);
        EXPECT_EQ(t.chain->depth(), 3U);
        t.chain->submit(tokens_of(0, 0, {1, 2}));
        done = co_await t.collect();
        EXPECT_TRUE(done) << done.error().message;
        t.reference.clear();
        EXPECT_EQ(t.out, t.expected(tokens_of(0, 0, {1, 2})));
    }(world));
}

TEST(RemoteChain, AStageThatFailsIsNamedWithItsReason) {
    struct failing {
        std::atomic<int> fake_behaviour::* how;
        errc why;
        number_type numbers = number_type::f32;
    };
    for (const failing one :
         {failing{.how = &fake_behaviour::breaks_at, .why = errc::engine_failed},
          failing{.how = &fake_behaviour::nan_at, .why = errc::not_finite},
          failing{.how = &fake_behaviour::huge_at, .why = errc::does_not_fit, .numbers = number_type::f16}}) {
        chain_world t;
        t.spec.numbers = one.numbers;
        t.run([](chain_world& of, failing what) -> awaitable<void> {
            co_await of.begin();
            *of.nodes[2]->as.*what.how = 1;
            of.chain->submit(tokens_of(0, 0, {1}));
            auto done = co_await of.collect();
            EXPECT_TRUE(done);
            of.chain->submit(tokens_of(0, 1, {1}));
            auto lost = co_await of.collect();
            EXPECT_TRUE(lost.error() == llama::errc::stages_lost);
            co_await of.until([&] { return !of.lost.empty(); });
            EXPECT_EQ(of.lost[0].node, of.nodes[2]->id);
            EXPECT_TRUE(of.lost[0].why == what.why) << of.lost[0].why.message;
            const bool given_up = co_await of.until([&] { return of.nodes[2]->as->engines == 0; });
            EXPECT_TRUE(given_up) << "an engine that failed is not used again";
        }(t, one));
    }
}

TEST(RemoteChain, AStageThatMakesNoHeadwayIsStalled) {
    chain_world world;
    world.options.step_time = 150ms;
    world.make_driver();
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.nodes[2]->as->step_ms = 60'000;
        t.chain->submit(tokens_of(0, 0, {1}));
        auto lost = co_await t.collect();
        EXPECT_TRUE(lost.error() == llama::errc::stages_lost);
        co_await t.until([&] { return !t.lost.empty(); });
        EXPECT_EQ(t.lost[0].node, t.nodes[2]->id) << "the first that has not computed it";
        EXPECT_TRUE(t.lost[0].why == errc::stalled);
    }(world));
}

TEST(RemoteChain, ASilentNodeIsLost) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.net.cut(t.nodes[0]->endpoint->local(), t.nodes[3]->endpoint->local());
        const bool told = co_await t.until([&] { return !t.lost.empty(); });
        EXPECT_TRUE(told);
        EXPECT_EQ(t.lost[0].node, t.nodes[3]->id);
        EXPECT_TRUE(t.lost[0].why == errc::lost);
    }(world));
}

TEST(RemoteChain, EndingReleasesTheStages) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {1}));
        t.driver->end(fail(errc::closed, "The model was removed."));
        EXPECT_TRUE(t.chain->ended());
        EXPECT_EQ(t.chain->ended()->message, "The model was removed.");
        EXPECT_FALSE(t.chain->usable());
        EXPECT_TRUE(t.chain->ready());
        EXPECT_TRUE(t.chain->collect().error() == llama::errc::stages_lost);
        const bool released = co_await t.until([&] { return t.nodes[1]->host->stages().empty(); });
        EXPECT_TRUE(released);
        EXPECT_TRUE(t.lost.empty());
    }(world));
}

TEST(RemoteChain, TheLowestPositionFollowsTheWindow) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.set_up();
        auto own = std::make_unique<fake_final>(layer_range{.first = 6, .end = 8, .of = 8}, &t.out);
        own->window = 4;
        t.chain = t.driver->make_chain(std::move(own));
        co_await t.wire();
        t.chain->submit(tokens_of(0, 0, {1, 2, 3, 4, 5, 6, 7, 8}));
        auto done = co_await t.collect();
        EXPECT_TRUE(done);
        EXPECT_EQ(t.chain->sliding_window(), 4);
        EXPECT_EQ(t.chain->lowest_position(0, 8), 5);
        llama::step cut = tokens_of(0, 6, {9});
        cut.edits.emplace_back(llama::truncation{.sequence = 0, .from = 6});
        t.chain->submit(cut);
        done = co_await t.collect();
        EXPECT_EQ(t.chain->lowest_position(0, 7), 5) << "what was forgotten does not come back";
        llama::step anew = tokens_of(0, 0, {9});
        anew.edits.emplace_back(llama::truncation{.sequence = 0, .from = 0});
        t.chain->submit(anew);
        done = co_await t.collect();
        EXPECT_EQ(t.chain->lowest_position(0, 1), 0);
    }(world));
}

/// The one stage of a chain, played by somebody who follows the protocol up to the answer to the first step.
class liar {
  public:
    /// What it writes when the step has come; empty: nothing.
    using answer = std::function<bytes(const data_frame& asked, const data_limits& back)>;

    static awaitable<void> run(std::shared_ptr<transport::connection> to, answer tells) {
        auto control = co_await to->accept(steady_time::max());
        transport::message_stream messages(std::move(*control));
        auto first = co_await messages.receive(steady_time::max());
        const auto parsed = parse_stage_message(*first);
        const auto asked = std::get<stage_open>(*parsed);
        const stage_message ready(stage_ready{.layers = asked.layers, .width = fake_width, .memory_bytes = 1});
        co_await messages.send(to_json(ready), steady_time::max());
        auto data = co_await to->accept(steady_time::max());
        transport::message_stream opening(std::move(*data));
        auto begun = co_await opening.receive(steady_time::max());
        data_reader reader(std::move(opening));
        const auto in = limits_into(asked, fake_width);
        auto got = co_await reader.next(in, 1s);
        const auto frame = decode(*got, in, 0);
        auto out = co_await to->open(steady_time::max());
        const stage_message start(stage_data{.deployment = asked.deployment, .epoch = asked.epoch, .index = 1});
        const auto started = wire::framed(to_json(start));
        co_await (*out)->write(started, steady_time::max());
        const auto lie = tells(*frame, limits_out_of(asked, fake_width));
        co_await (*out)->write(lie, steady_time::max());
        for (;;) {
            const stage_message state(stage_state{.steps = 1, .ms_per_token = 1.0});
            auto sent = co_await messages.send(to_json(state), steady_time::max());
            if (!sent) {
                co_return;
            }
            co_await aio::pause(20ms);
        }
    }
};

bytes honest(const data_frame& asked, const data_limits& back) {
    data_frame out = asked;
    out.computed_us = {5};
    out.activations.assign(asked.step.tokens.size() * fake_width, 1.0F);
    bytes written;
    EXPECT_TRUE(encode(out, back, &written));
    return written;
}

template <class T>
liar::answer changed(std::size_t at, T value) {
    return [at, value](const data_frame& asked, const data_limits& back) {
        auto out = honest(asked, back);
        std::memcpy(out.data() + frame_length_bytes + at, &value, sizeof value);
        return out;
    };
}

TEST(RemoteChain, AStageThatReturnsSomethingElseIsNamed) {
    const liar::answer twice = [](const data_frame& asked, const data_limits& back) {
        auto out = honest(asked, back);
        const auto again = out;
        out.insert(out.end(), again.begin(), again.end());
        return out;
    };
    const liar::answer ahead = [](const data_frame& asked, const data_limits& back) {
        auto next = asked;
        auto out = honest(asked, back);
        next.number = 1;
        const auto early = honest(next, back);
        out.insert(out.end(), early.begin(), early.end());
        return out;
    };
    const liar::answer half = [](const data_frame& asked, const data_limits& back) {
        auto out = honest(asked, back);
        out.resize(out.size() / 2);
        return out;
    };
    const std::size_t tokens = frame_header_bytes + 4;
    const std::vector<std::pair<liar::answer, errc>> lies{
        {changed(tokens + 12, std::numeric_limits<float>::quiet_NaN()), errc::not_finite},
        {changed(tokens, std::int32_t{8}), errc::wrong_shape},
        {changed(tokens + 4, std::int32_t{1}), errc::wrong_shape},
        {changed(12, epoch_number{0}), errc::stale_epoch},
        {changed(16, step_number{1}), errc::gap},
        {changed(32, std::uint32_t{4}), errc::wrong_shape},
        {changed(0, std::uint8_t{9}), errc::unsupported},
        {twice, errc::duplicate_step},
        {ahead, errc::gap},
        {half, errc::stalled}};
    for (std::size_t i = 0; i < lies.size(); ++i) {
        SCOPED_TRACE(i);
        chain_world world;
        world.run([](chain_world& t, liar::answer tells, errc why) -> awaitable<void> {
            const node_id id = test_node(9);
            auto endpoint = t.net.add(id);
            auto made = co_await t.nodes[0]->endpoint->connect(endpoint->local(), id, steady_time::max());
            t.nodes[0]->attach(*made);
            auto taken = co_await endpoint->accept();
            t.nodes[0]->tasks.spawn(liar::run(*taken, std::move(tells)));
            t.spec.remote = {{.node = id, .first = 0, .end = 2}};
            t.chain = t.driver->make_chain(t.last());
            co_await t.wire();
            t.chain->submit(tokens_of(0, 0, {1}));
            const bool told = co_await t.until([&] { return !t.lost.empty(); });
            EXPECT_TRUE(told);
            EXPECT_EQ(t.lost.at(0).node, id);
            EXPECT_TRUE(t.lost.at(0).why == why) << t.lost.at(0).why.message;
            EXPECT_TRUE(t.chain->collect().error() == llama::errc::stages_lost);
            EXPECT_FALSE(t.chain->usable());
        }(world, lies[i].first, lies[i].second));
    }
}

TEST(RemoteChain, OnlyTheLastStageMayBringSteps) {
    chain_world world;
    world.run([](chain_world& t) -> awaitable<void> {
        co_await t.begin();
        t.chain->submit(tokens_of(0, 0, {1}));
        auto done = co_await t.collect();
        EXPECT_TRUE(done);
        for (const std::size_t as : {4U, 1U, 3U}) {
            auto on = co_await t.nodes[as]->find(t.nodes[0]->id)->open(steady_time::max());
            const stage_message opening(stage_data{.deployment = 77, .epoch = 1, .index = 3});
            const auto frame = wire::framed(to_json(opening));
            co_await (*on)->write(frame, steady_time::max());
            co_await aio::pause(5ms);
        }
        EXPECT_EQ(t.nodes[0]->refused.size(), 3U);
        EXPECT_TRUE(t.nodes[0]->refused.at(0) == errc::wrong_node);
        EXPECT_TRUE(t.nodes[0]->refused.at(1) == errc::wrong_node);
        EXPECT_TRUE(t.nodes[0]->refused.at(2) == errc::second_stream);
        EXPECT_TRUE(t.lost.empty());
        t.chain->submit(tokens_of(0, 1, {1}));
        done = co_await t.collect();
        EXPECT_TRUE(done) << "the chain goes on";
    }(world));
}

}  // namespace starling::pipeline
