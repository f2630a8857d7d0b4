// Stages that calculate instead of inferring, and nodes that reach each other in memory: what comes out shows which
// layers computed it, in which order, and over which cache.
#pragma once

#include "aio/pause.hpp"
#include "aio/task_scope.hpp"
#include "pipeline/pipeline.hpp"
#include "transport/memory_network.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace starling::pipeline {

namespace asio = boost::asio;

inline constexpr std::int32_t fake_width = 5;

inline node_id test_node(std::uint8_t which) {
    node_id out;
    out.bytes.fill(which);
    return out;
}

/// A cache that knows which tokens each sequence has, and refuses a token that does not come next.
class fake_cache {
  public:
    result<void> apply(const llama::step& step) {
        for (const auto& edit : step.edits) {
            if (const auto* cut = std::get_if<llama::truncation>(&edit)) {
                auto& tokens = sequences_[cut->sequence];
                tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(cut->from)));
            } else {
                const auto& copy = std::get<llama::prefix_copy>(edit);
                auto tokens = sequences_[copy.from];
                tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(copy.length)));
                sequences_[copy.to] = tokens;
            }
        }
        return {};
    }

    /// What the token sees of its sequence: a number that depends on every token before it.
    result<float> add(const llama::step_token& token) {
        auto& tokens = sequences_[token.sequence];
        if (tokens.size() != static_cast<std::size_t>(token.at)) {
            return fail(errc::engine_failed, "position " + std::to_string(token.at) + " of a sequence with " +
                                                 std::to_string(tokens.size()));
        }
        tokens.push_back(token.token);
        float sum = 0.0F;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            sum += static_cast<float>(tokens[i] % 8) * static_cast<float>(i % 4 + 1);
        }
        return sum / 64.0F;
    }

    void clear() { sequences_.clear(); }

  private:
    std::map<llama::sequence_id, std::vector<std::int32_t>> sequences_;
};

/// Layers [first, end) over [tokens, fake_width]; exact in f32.
inline result<std::vector<float>> fake_layers(layer_range layers, const llama::step& step, std::span<const float> in,
                                              fake_cache& cache) {
    std::vector<float> out(in.begin(), in.end());
    out.resize(step.tokens.size() * fake_width);
    if (auto edited = cache.apply(step); !edited) {
        return edited.error();
    }
    for (std::size_t t = 0; t < step.tokens.size(); ++t) {
        const auto seen = cache.add(step.tokens[t]);
        if (!seen) {
            return seen.error();
        }
        for (std::size_t w = 0; w < fake_width; ++w) {
            float& value = out[t * fake_width + w];
            if (layers.first == 0) {
                value = static_cast<float>(step.tokens[t].token % 16) + static_cast<float>(w) / 8.0F;
            }
            for (std::int32_t layer = layers.first; layer < layers.end; ++layer) {
                value = value / 2.0F + static_cast<float>(layer + 1) + *seen;
            }
        }
    }
    return out;
}

/// What a test may change while an engine of it is running.
struct fake_behaviour {
    std::atomic<int> step_ms = 0;
    std::atomic<int> breaks_at = -1;  // this run ends with an error
    std::atomic<int> nan_at = -1;     // this run gives NaN
    std::atomic<int> huge_at = -1;    // this run gives what f16 cannot hold
    std::atomic<int> loads = 0;
    std::atomic<int> engines = 0;  // alive
    std::atomic<int> clears = 0;
    std::atomic<int> load_ms = 0;
    std::atomic<int> lies_about_layers = 0;
    std::atomic<int> width = fake_width;
    std::optional<error> refuses;  // before anything runs
};

class fake_engine final : public stage_engine {
  public:
    fake_engine(layer_range layers, std::shared_ptr<fake_behaviour> as) : layers_(layers), as_(std::move(as)) {
        ++as_->engines;
    }
    ~fake_engine() override { --as_->engines; }

    layer_range layers() const override { return layers_; }
    std::int32_t width() const override { return as_->width; }
    std::uint64_t memory_bytes() const override { return 1'000; }
    result<void> run(const llama::step& step, std::span<const float> in, std::vector<float>* out) override {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(as_->step_ms);
        while (std::chrono::steady_clock::now() < until && !interrupted_) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        const int now = runs_++;
        if (interrupted_ || now == as_->breaks_at) {
            return fail(errc::engine_failed, "The engine broke.");
        }
        auto computed = fake_layers(layers_, step, in, cache_);
        if (!computed) {
            return computed.error();
        }
        *out = std::move(*computed);
        if (now == as_->nan_at) {
            out->back() = std::numeric_limits<float>::quiet_NaN();
        }
        if (now == as_->huge_at) {
            out->back() = 1e6F;
        }
        return {};
    }
    result<void> clear() override {
        ++as_->clears;
        cache_.clear();
        runs_ = 0;
        return {};
    }
    void interrupt() override { interrupted_ = true; }

  private:
    layer_range layers_;
    std::shared_ptr<fake_behaviour> as_;
    fake_cache cache_;
    int runs_ = 0;
    std::atomic<bool> interrupted_ = false;
};

class fake_final final : public final_stage {
  public:
    fake_final(layer_range layers, std::vector<float>* out) : layers_(layers), out_(out) {}

    result<void> run(const llama::step& step, std::span<const float> in) override {
        auto computed = fake_layers(layers_, step, in, cache_);
        if (!computed) {
            return computed.error();
        }
        *out_ = std::move(*computed);
        return {};
    }
    result<void> clear() override {
        cache_.clear();
        return {};
    }
    void interrupt() override {}
    llama::stage& stage() override { std::terminate(); }
    std::int32_t layers() const override { return layers_.end - layers_.first; }
    std::int32_t widest() const override { return 1'000; }
    llama::position lowest_position(llama::sequence_id) const override { return 0; }
    std::int32_t sliding_window() const override { return window; }
    std::uint64_t sequence_bytes() const override { return 100; }
    double ms_per_token() const override { return 0.0; }

    std::int32_t window = 0;

  private:
    layer_range layers_;
    std::vector<float>* out_;
    fake_cache cache_;
};

class fake_loader final : public stage_loader {
  public:
    explicit fake_loader(std::shared_ptr<fake_behaviour> as) : as_(std::move(as)) {}

    awaitable<result<std::unique_ptr<stage_engine>>> load(stage_open what,
                                                          std::function<void(double)> progress) override {
        ++as_->loads;
        progress(0.5);
        co_await aio::pause(std::chrono::milliseconds(as_->load_ms));
        if (as_->refuses) {
            co_return *as_->refuses;
        }
        what.layers.end += as_->lies_about_layers;
        std::unique_ptr<stage_engine> out = std::make_unique<fake_engine>(what.layers, as_);
        co_return out;
    }
    void discard(std::unique_ptr<stage_engine> engine) override { engine.reset(); }

  private:
    std::shared_ptr<fake_behaviour> as_;
};

/// A node with all that serves stages, and with links to others.
class fake_node final : public peer_links {
  public:
    fake_node(asio::any_io_executor network, transport::memory_network& net, std::uint8_t which, host_options options)
        : id(test_node(which)),
          endpoint(net.add(id)),
          loader(as),
          tasks(network),
          inlets([this](const node_id&, const error& why) { refused.push_back(why); }) {
        options.self = id;
        host = std::make_unique<stage_host>(
            network, options, loader, [this](const stage_open&) { return lease_denied; }, inlets, *this);
    }

    std::shared_ptr<transport::connection> find(const node_id& node) override {
        const auto found = links.find(node);
        return found == links.end() || found->second->ended() ? nullptr : found->second;
    }

    void attach(std::shared_ptr<transport::connection> link) {
        links[link->peer()] = link;
        tasks.spawn(serve_all(link));
    }

    awaitable<void> serve_all(std::shared_ptr<transport::connection> link) {
        for (;;) {
            auto next = co_await link->accept(steady_time::max());
            if (!next) {
                co_return;
            }
            tasks.spawn(serve(std::move(*next), link->peer()));
        }
    }

    awaitable<void> serve(std::unique_ptr<transport::stream> on, node_id from) {
        transport::message_stream stream(std::move(on));
        auto first = co_await stream.receive(steady_time::max());
        if (!first) {
            co_return;
        }
        EXPECT_TRUE(begins_stage_stream(*first));
        co_await pipeline::serve(*host, inlets, std::move(stream), std::move(*first), from);
    }

    /// As if the process had been killed.
    void die() {
        endpoint->stop();
        tasks.cancel();
    }

    node_id id;
    std::shared_ptr<fake_behaviour> as = std::make_shared<fake_behaviour>();
    std::unique_ptr<transport::endpoint> endpoint;
    std::map<node_id, std::shared_ptr<transport::connection>> links;
    fake_loader loader;
    std::vector<error> refused;
    std::optional<stage_refused> lease_denied;
    aio::task_scope tasks;
    data_inlets inlets;
    std::unique_ptr<stage_host> host;
};

inline awaitable<void> connect(fake_node& a, fake_node& b) {
    auto made = co_await a.endpoint->connect(b.endpoint->local(), b.id, steady_time::max());
    auto taken = co_await b.endpoint->accept();
    a.attach(*made);
    b.attach(*taken);
}

/// What a test threw: its nodes are to be stopped all the same.
inline awaitable<std::exception_ptr> outcome_of(awaitable<void> test) {
    std::exception_ptr thrown;
    try {
        co_await std::move(test);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return thrown;
}

inline llama::step tokens_of(llama::sequence_id sequence, llama::position from, std::vector<std::int32_t> ids) {
    llama::step out;
    for (const std::int32_t id : ids) {
        out.tokens.push_back({.token = id, .at = from++, .sequence = sequence, .output = true});
    }
    return out;
}

}  // namespace starling::pipeline
