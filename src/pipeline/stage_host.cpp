#include "pipeline/stage_host.hpp"

#include "aio/pause.hpp"
#include "aio/together.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::pipeline {

using transport::message_stream;

namespace {

constexpr auto control_time = std::chrono::seconds(10);   // for the coordinator to take a message
constexpr auto last_word_time = std::chrono::seconds(1);  // for one who may not listen any more

steady_time from_now(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

stage_refused refusal(errc code, std::string message) {
    return {.why = fail(code, std::move(message)), .about = {}};
}

awaitable<bool> tell(message_stream* to, stage_message what) {
    auto sent = co_await to->send(to_json(what), from_now(control_time));
    co_return sent.has_value();
}

awaitable<void> refuse(message_stream* to, stage_refused why) {
    const stage_message message(std::move(why));
    auto sent = co_await to->send(to_json(message), from_now(last_word_time));
    if (sent) {
        to->finish();
    }
}

awaitable<void> either(awaitable<void> a, awaitable<void> b) {
    co_await aio::first_of(std::move(a), std::move(b));
}

/// The same slice with room for the same sequences: what is loaded for one serves the other.
bool same_slice(const stage_open& a, const stage_open& b) {
    return a.content == b.content && a.layers == b.layers && a.context == b.context && a.sequences == b.sequences &&
           a.step_tokens == b.step_tokens;
}

/// The engine did nothing wrong and holds nothing that forgetting its sequences does not mend.
bool worth_keeping(const stage_refused& why) {
    return why.about || why.why == errc::superseded || why.why == errc::closed;
}

}  // namespace

struct stage_host::hosted {
    hosted(boost::asio::any_io_executor network, stage_open what)
        : opened(std::move(what)), changed(std::move(network)) {}

    stage_open opened;
    double loaded = 0.0;
    std::optional<result<std::unique_ptr<stage_engine>>> engine;  // once loaded, until the session has it
    std::uint64_t memory_bytes = 0;
    std::unique_ptr<stage_session> session;
    std::optional<stage_refused> ended;
    bool superseded = false;
    std::optional<std::string> withdrawn;  // why
    aio::wake_up changed;
};

struct stage_host::kept {
    std::uint64_t serial = 0;
    stage_open opened;
    std::unique_ptr<stage_engine> engine;
};

stage_host::stage_host(boost::asio::any_io_executor network, host_options options, stage_loader& loader,
                       lease_check may_open, data_inlets& inlets, peer_links& links)
    : network_(network),
      options_(options),
      loader_(loader),
      may_open_(std::move(may_open)),
      inlets_(inlets),
      links_(links),
      changed_(std::move(network)) {}

stage_host::~stage_host() = default;

awaitable<void> stage_host::serve(message_stream on, std::string first, node_id from) {
    on.take_at_most(max_message_bytes);
    auto parsed = parse_stage_message(first);
    const auto* asked = parsed ? std::get_if<stage_open>(&*parsed) : nullptr;
    if (asked == nullptr) {
        stage_refused why{
            .why = parsed ? fail(errc::malformed, "A control stream begins with stage_open.") : parsed.error(),
            .about = {}};
        co_await refuse(&on, std::move(why));
        co_return;
    }
    if (auto no = check(*asked, from)) {
        co_await refuse(&on, std::move(*no));
        co_return;
    }
    auto hosting = host(std::move(on), *asked);
    const auto serial = co_await std::move(hosting);
    if (serial) {
        co_await aio::pause(options_.keep_loaded);
        drop_kept(*serial);
    }
}

std::optional<stage_refused> stage_host::check(const stage_open& asked, const node_id& from) const {
    if (from != asked.coordinator) {
        return refusal(errc::wrong_node, "A stage can only be opened by its coordinator itself.");
    }
    if (asked.stages[asked.index] != options_.self) {
        return refusal(errc::wrong_node, "This stage is another node's.");
    }
    if (may_open_) {
        if (auto no = may_open_(asked)) {
            return no;
        }
    }
    const auto found = hosted_.find(asked.deployment);
    if (found != hosted_.end() && found->second->opened.epoch >= asked.epoch) {
        return refusal(errc::stale_epoch,
                       fmt::format("Epoch {} of this deployment is here already.", found->second->opened.epoch));
    }
    if (found == hosted_.end() && hosted_.size() >= options_.max_stages) {
        return refusal(errc::busy, fmt::format("This node has {} stages, as many as it may have.", hosted_.size()));
    }
    return std::nullopt;
}

void stage_host::supersede(deployment_id deployment) {
    if (const auto found = hosted_.find(deployment); found != hosted_.end()) {
        found->second->superseded = true;
        found->second->changed.notify();
    }
}

void stage_host::withdraw(deployment_id deployment, std::string why) {
    if (const auto found = hosted_.find(deployment); found != hosted_.end()) {
        found->second->withdrawn = std::move(why);
        found->second->changed.notify();
    }
}

/// Ends an older epoch of the same deployment and waits until it has left.
awaitable<std::optional<stage_refused>> stage_host::take_over(stage_open asked) {
    const auto deadline = from_now(options_.handover_time);
    for (;;) {
        const auto found = hosted_.find(asked.deployment);
        if (found == hosted_.end()) {
            co_return std::nullopt;
        }
        const entry before = found->second;
        if (before->opened.epoch >= asked.epoch) {
            co_return refusal(errc::stale_epoch, "A newer epoch of this deployment came in between.");
        }
        if (!before->superseded) {
            before->superseded = true;
            before->changed.notify();
        }
        const bool in_time = co_await changed_.wait_until(deadline);
        if (!in_time) {
            co_return refusal(errc::busy, "The stage of the epoch before is still computing.");
        }
    }
}

/// Gives the number under which the engine is kept, when it is.
awaitable<std::optional<std::uint64_t>> stage_host::host(message_stream on, stage_open asked) {
    auto waiting = take_over(asked);
    auto no = co_await std::move(waiting);
    if (no) {
        co_await refuse(&on, std::move(*no));
        co_return std::nullopt;
    }
    const auto stage = std::make_shared<hosted>(network_, std::move(asked));
    hosted_[stage->opened.deployment] = stage;
    struct leave {
        stage_host* from;
        const hosted* what;
        ~leave() {
            from->hosted_.erase(what->opened.deployment);
            from->changed_.notify();
        }
    } const at_end{this, stage.get()};

    auto why = co_await obtain(&on, stage);
    if (!why) {
        why = co_await work(&on, stage);
    }
    if (why) {
        co_await refuse(&on, *why);
    }
    if (!stage->session) {
        co_return std::nullopt;
    }
    auto releasing = stage->session->release(options_.handover_time / 2);
    auto [engine, interrupted] = co_await std::move(releasing);
    stage->session.reset();
    if (interrupted || (why && !worth_keeping(*why))) {
        loader_.discard(std::move(engine));
        co_return std::nullopt;
    }
    const auto serial = next_serial_++;
    kept_.push_back({.serial = serial, .opened = stage->opened, .engine = std::move(engine)});
    co_return serial;
}

/// Sets the stage's session, or gives why there is none.
awaitable<std::optional<stage_refused>> stage_host::obtain(message_stream* on, entry stage) {
    auto loading = load_and_report(on, stage);
    auto watching = watch(on, stage);
    co_await aio::first_of(std::move(loading), std::move(watching));
    if (!stage->engine) {
        co_return stage->ended ? *stage->ended : refusal(errc::closed, "The coordinator is gone.");
    }
    auto got = std::move(*stage->engine);
    stage->engine.reset();
    if (!got) {
        co_return stage_refused{.why = got.error(), .about = {}};
    }
    auto engine = std::move(*got);
    if (engine->layers() != stage->opened.layers || engine->width() < 1 || engine->width() > max_width) {
        loader_.discard(std::move(engine));
        co_return refusal(errc::load_failed, "What was loaded are not the layers that were asked for.");
    }
    const stage_message ready(
        stage_ready{.layers = engine->layers(), .width = engine->width(), .memory_bytes = engine->memory_bytes()});
    stage->memory_bytes = engine->memory_bytes();
    stage->loaded = 1.0;
    stage->session = std::make_unique<stage_session>(network_, stage->opened, std::move(engine), inlets_, links_,
                                                     options_.frame_time);
    const bool told = co_await tell(on, ready);
    if (!told) {
        co_return refusal(errc::closed, "The coordinator is gone.");
    }
    co_return std::nullopt;
}

awaitable<void> stage_host::load_and_report(message_stream* on, entry stage) {
    auto loading = load(stage);
    auto reporting = run_progress_loop(on, stage);
    co_await aio::first_of(std::move(loading), std::move(reporting));
}

awaitable<void> stage_host::load(entry stage) {
    if (auto before = take_kept(stage->opened)) {
        stage->engine.emplace(std::move(before));
        co_return;
    }
    auto progress = [weak = std::weak_ptr(stage)](double fraction) {
        if (const auto still = weak.lock()) {
            still->loaded = std::clamp(fraction, 0.0, 1.0);
        }
    };
    auto loading = loader_.load(stage->opened, std::move(progress));
    auto got = co_await std::move(loading);
    stage->engine.emplace(std::move(got));
}

awaitable<void> stage_host::run_progress_loop(message_stream* on, entry stage) {
    for (;;) {
        co_await aio::pause(options_.heartbeat);
        const bool told = co_await tell(on, stage_progress{.fraction = stage->loaded});
        if (!told) {
            co_return;
        }
    }
}

/// Why the stage ended, if the coordinator is to be told.
awaitable<std::optional<stage_refused>> stage_host::work(message_stream* on, entry stage) {
    auto working = run_session(stage);
    auto watching = watch(on, stage);
    co_await aio::first_of(std::move(working), std::move(watching));
    co_return stage->ended;
}

awaitable<void> stage_host::run_session(entry stage) {
    auto running = stage->session->run();
    auto why = co_await std::move(running);
    stage->ended = std::move(why);
}

/// Ends when the stage has to: the control stream has ended, or a newer epoch came.
awaitable<void> stage_host::watch(message_stream* on, entry stage) {
    auto reading = read_control(on, stage);
    auto superseding = until_superseded(stage);
    if (!stage->session) {
        co_await aio::first_of(std::move(reading), std::move(superseding));
        co_return;
    }
    auto beating = run_heartbeat_loop(on, stage);
    auto ending = either(std::move(reading), std::move(superseding));
    co_await aio::first_of(std::move(beating), std::move(ending));
}

awaitable<void> stage_host::read_control(message_stream* on, entry stage) {
    auto message = co_await on->receive(steady_time::max());
    if (!message) {
        stage->ended = refusal(errc::closed, "The coordinator is gone.");
        co_return;
    }
    auto parsed = parse_stage_message(*message);
    const auto* close = parsed ? std::get_if<stage_close>(&*parsed) : nullptr;
    stage->ended = close != nullptr ? refusal(errc::closed, close->reason)
                                    : refusal(errc::malformed, "The coordinator sent something that is no message.");
}

awaitable<void> stage_host::until_superseded(entry stage) {
    while (!stage->superseded && !stage->withdrawn) {
        co_await stage->changed.wait_until(steady_time::max());
    }
    if (stage->withdrawn) {
        stage->ended = refusal(errc::declined, *stage->withdrawn);
        co_return;
    }
    stage->ended = refusal(errc::superseded, "Another epoch or another coordinator took the place.");
}

awaitable<void> stage_host::run_heartbeat_loop(message_stream* on, entry stage) {
    for (;;) {
        const auto figures = stage->session->figures();
        const bool told = co_await tell(on, stage_state{.steps = figures.steps, .ms_per_token = figures.ms_per_token});
        if (!told) {
            stage->ended = refusal(errc::closed, "The coordinator is gone.");
            co_return;
        }
        co_await aio::pause(options_.heartbeat);
    }
}

/// The engine of an older epoch, if it is what is asked for now. All others are given up: memory is for what is asked.
std::unique_ptr<stage_engine> stage_host::take_kept(const stage_open& asked) {
    std::unique_ptr<stage_engine> out;
    for (kept& one : kept_) {
        if (!out && one.opened.deployment == asked.deployment && same_slice(one.opened, asked)) {
            out = std::move(one.engine);
        } else {
            loader_.discard(std::move(one.engine));
        }
    }
    kept_.clear();
    return out;
}

void stage_host::drop_kept(std::uint64_t serial) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const kept& one) { return one.serial == serial; });
    if (found != kept_.end()) {
        loader_.discard(std::move(found->engine));
        kept_.erase(found);
    }
}

std::vector<hosted_stage> stage_host::stages() const {
    std::vector<hosted_stage> out;
    for (const auto& [deployment, one] : hosted_) {
        out.push_back({.opened = one->opened,
                       .ready = one->session != nullptr,
                       .loaded = one->loaded,
                       .memory_bytes = one->memory_bytes,
                       .figures = one->session ? one->session->figures() : session_figures{}});
    }
    return out;
}

}  // namespace starling::pipeline
