#include "node/split_model.hpp"

#include "aio/run_on.hpp"
#include "aio/together.hpp"
#include "deployment/takeover.hpp"
#include "keys/digest.hpp"
#include "node/log_bugs.hpp"
#include "node/model_plan.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;
using deployment::trouble;
using deployment::trouble_kind;
using pipeline::errc;

namespace {

constexpr auto farewell_limit = std::chrono::seconds(6);  // for a successor to take over when this node stops
constexpr auto longest_sleep = std::chrono::hours(1);

/// The same for every epoch of one coordinator in one term, and for nothing else.
pipeline::deployment_id deployment_of(const std::string& content, const deployment::claim& by) {
    const std::string text = fmt::format("{}/{}/{}", content, by.term, to_string(by.coordinator));
    const auto digest =
        keys::sha256("starling deployment", {{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}});
    pipeline::deployment_id out = 0;
    std::memcpy(&out, digest.data(), sizeof out);
    return out;
}

trouble_kind kind_of(const error& why) {
    if (why == errc::busy) {
        return trouble_kind::held;
    }
    if (why == errc::superseded || why == errc::stale_epoch) {
        return trouble_kind::superseded;
    }
    if (why == errc::no_memory) {
        return trouble_kind::memory;
    }
    if (why == errc::no_model) {
        return trouble_kind::no_file;
    }
    const bool is_away = why == errc::lost || why == errc::no_link || why == errc::stalled || why == errc::closed;
    if (is_away || why == errc::declined) {  // its owner may change his mind any moment, and its offer says so
        return trouble_kind::lost;
    }
    return trouble_kind::failed;
}

}  // namespace

split_model::split_model(const split_parts& with, stage_service& stages, std::function<peers::node_offer()> offer,
                         split_setup setup, split_observer observer)
    : with_(with),
      stages_(stages),
      offer_(std::move(offer)),
      setup_(std::move(setup)),
      observer_(std::move(observer)),
      candidate_({.self = with.self, .want = setup_.want, .seed = with.seed}),
      clock_(with.network),
      tasks_(with.network, log_bugs(with.log, "a split model")) {
    tasks_.spawn(run_clock());
}

split_model::~split_model() = default;

void split_model::start() {
    perform(candidate_.start(now()));
}

void split_model::inherit() {
    perform(candidate_.inherit(now()));
}

void split_model::heard(const node_id& from, const deployment::announcement& what) {
    perform(candidate_.heard(from, what, now()));
    const auto* watched = candidate_.watched();
    if (candidate_.state() != deployment::candidate_state::watching || watched == nullptr) {
        return;
    }
    const bool is_starved = watched->state == deployment::announced_state::starved;
    if (is_starved && reason_ != watched->reason) {
        reason_ = watched->reason;
        observer_.on_down(fail(engine::errc::unavailable, reason_));
    }
    decided();
}

void split_model::claim_gone(const node_id& from, deployment::parting how) {
    perform(candidate_.claim_gone(from, how, now()));
}

void split_model::members_changed() {
    const auto inputs = gather_plan_inputs(with_, offer_(), setup_.content, taken());
    std::vector<node_id> usable;
    for (const plan::machine& one : inputs.machines) {
        usable.push_back(one.id);
    }
    perform(candidate_.members(std::move(usable), inputs.version, now()));
}

void split_model::everybody_heard() {
    perform(candidate_.everybody_heard(now()));
}

asio::awaitable<void> split_model::run_clock() {
    for (;;) {
        const auto at = std::min(candidate_.next_tick(), now() + longest_sleep);
        co_await clock_.wait_until(at);
        if (now() >= candidate_.next_tick()) {
            perform(candidate_.tick(now()));
        }
    }
}

/// The clock is set anew after every input; what an action brings about comes back as an input of its own, later.
void split_model::perform(const deployment::actions& list) {
    for (const deployment::action& one : list) {
        std::visit([this](const auto& what) { act(what); }, one);
    }
    clock_.notify();
}

void split_model::act(const deployment::announce& what) {
    told_ = what.what;
    if (told_->state == deployment::announced_state::starved) {
        if (reason_ != told_->reason) {  // it is found again with every try
            with_.log->warn("{}: {} It is tried again when a machine comes or has more memory free.", setup_.want.model,
                            told_->reason);
        }
        reason_ = told_->reason;
        end_engine(fail(engine::errc::unavailable, told_->reason));
        observer_.on_down(fail(engine::errc::unavailable, told_->reason));
        decided();
    }
    with_.status_changed();
}

void split_model::act(const deployment::withdraw&) {
    told_.reset();
    with_.status_changed();
}

void split_model::act(const deployment::make_plan& what) {
    tasks_.spawn(run_plan(what));
}

void split_model::act(const deployment::open_stages& what) {
    end_attempt();
    attempt_ = std::make_shared<attempt>(with_.network, what.by);
    pipeline::chain_spec& spec = attempt_->spec;
    spec.deployment = deployment_of(setup_.content, what.by);
    spec.epoch = what.by.epoch;
    spec.term = what.by.term;
    spec.coordinator = with_.self;
    spec.model = setup_.want.model;
    spec.content = setup_.content;
    spec.layers = shape_ ? static_cast<std::int32_t>(shape_->shape.layers.size()) : 0;
    spec.context = static_cast<std::int32_t>(setup_.want.context);
    spec.sequences = static_cast<std::int32_t>(setup_.want.slots);
    spec.step_tokens = split_step_tokens;
    spec.numbers = with_.settings->activations == settings::activations::f32 ? pipeline::number_type::f32
                                                                             : pipeline::number_type::f16;
    for (const deployment::stage& one : what.stages) {
        spec.remote.push_back({.node = one.node,
                               .first = static_cast<std::int32_t>(one.layers.first),
                               .end = static_cast<std::int32_t>(one.layers.end)});
    }
    tasks_.spawn(run_assembly(attempt_));
}

void split_model::act(const deployment::load_last& what) {
    tasks_.spawn(run_load_last(what));
}

void split_model::act(const deployment::close_stages& what) {
    if (attempt_ && attempt_->by.epoch == what.epoch) {
        end_attempt();
    }
    if (own_lease_) {
        stages_.release_own(setup_.content, *std::exchange(own_lease_, std::nullopt));
    }
    if (chain_ && wired_epoch_ == what.epoch) {
        chain_->release();
        stage_bytes_.clear();
    }
}

void split_model::act(const deployment::publish_route& what) {
    decided();
    if (whole_) {
        end_engine(fail(engine::errc::unavailable, "The model moved to one machine."));
        engine_ = std::move(whole_);
        observer_.on_ready(engine_, setup_.content);
        return;
    }
    if (!attempt_ || attempt_->opened.empty()) {
        return;  // closed in between; the candidate has been told
    }
    const auto this_attempt = attempt_;
    auto last = std::move(next_last_);
    if (!chain_) {
        make_engine(std::move(last));
    }
    stage_bytes_.clear();
    for (const pipeline::open_stage& one : this_attempt->opened) {
        stage_bytes_[one.node] = one.memory_bytes;
    }
    stage_bytes_[with_.self] = own_bytes_;
    wired_epoch_ = what.by.epoch;
    chain_->rewire(this_attempt->spec, std::move(this_attempt->opened), std::move(last), replaced_by(what.stages));
    wired_ = what.stages;
    loss_.reset();
    with_.log->info("{} is ready: {} machines compute it together", setup_.want.model, what.stages.size());
    observer_.on_ready(engine_, setup_.content);
}

/// For those who read an answer that has begun.
std::shared_ptr<const engine::replacement> split_model::replaced_by(const deployment::plan& next) const {
    const auto moved = deployment::takeover_between(wired_, next);
    if (!moved) {
        return nullptr;
    }
    const bool was_lost = loss_ && loss_->node == moved->from;
    const std::string why = was_lost ? loss_->why : "it computes no part of this model any more";
    return std::make_shared<const engine::replacement>(engine::replacement{
        .node = to_string(moved->to), .cause = fmt::format("{}: {}", name_of(with_, moved->from), why)});
}

/// While it is mended, requests wait in the engine; what could not be mended is announced as starved.
void split_model::act(const deployment::withdraw_route&) {
    if (!stopping_ && candidate_.state() != deployment::candidate_state::repairing) {
        observer_.on_down(
            fail(engine::errc::loading,
                 fmt::format("{} is being put together anew; try again in a moment.", setup_.want.model)));
    }
}

void split_model::act(const deployment::stand_down& what) {
    with_.log->info("{} is coordinated by {} now", setup_.want.model, name_of(with_, what.to.coordinator));
    end_engine(fail(engine::errc::unavailable, "Another node coordinates this model now."));
    observer_.on_down(
        fail(engine::errc::loading, fmt::format("{} is coordinated by another node.", setup_.want.model)));
}

void split_model::end_attempt() {
    if (attempt_) {
        attempt_->over = true;
        attempt_->closed.notify();
        attempt_->opened.clear();
        attempt_.reset();
    }
}

void split_model::decided() {
    if (!std::exchange(decided_, true) && observer_.on_decided) {
        observer_.on_decided();
    }
}

/// Inputs are never given from within an action.
void split_model::failed(const node_id& node, deployment::epoch_number epoch, const trouble& why) {
    const auto tell = [](split_model* self, node_id who, deployment::epoch_number in,
                         trouble what) -> asio::awaitable<void> {
        self->perform(self->candidate_.stage_failed(who, in, what, now()));
        co_return;
    };
    tasks_.spawn(tell(this, node, epoch, why));
}

std::vector<plan::loaded_stage> split_model::loaded() const {
    std::vector<plan::loaded_stage> out;
    if (wired_epoch_ > 0 && chain_) {
        for (const deployment::stage& one : candidate_.stages()) {
            out.push_back({.node = one.node,
                           .layers = {.first = static_cast<std::int32_t>(one.layers.first),
                                      .end = static_cast<std::int32_t>(one.layers.end)}});
        }
    }
    return out;
}

plan::wish split_model::wish(const std::vector<node_id>& avoid) const {
    plan::wish out;
    out.context = setup_.want.context;
    out.slots = setup_.want.slots;
    out.split = setup_.want.stages > 0 ? plan::split_mode::exactly : plan::split_mode::automatic;
    out.stages = setup_.want.stages;
    out.coordinator = with_.self;
    out.margin_share = 0.0;  // each node has kept its own
    out.margin_bytes = 0;
    out.avoid = avoid;
    out.previous = loaded();
    return out;
}

asio::awaitable<void> split_model::run_plan(deployment::make_plan what) {
    auto inputs = gather_plan_inputs(with_, offer_(), setup_.content, taken());
    const std::string left_out = left_out_text(inputs);
    auto planning = plan_on_thread(std::move(inputs), wish(what.avoid));
    auto made = co_await aio::run_on(planning_.get_executor(), std::move(planning));
    deployment::plan_answer answer;
    if (made) {
        for (const plan::stage& one : made->stages) {
            answer.stages.push_back({.node = one.node,
                                     .layers = {.first = static_cast<std::uint32_t>(one.layers.first),
                                                .end = static_cast<std::uint32_t>(one.layers.end)}});
        }
        made->reason += made->stages.size() > 1 ? left_out : "";
        reason_ = made->reason;
        with_.log->info("{} is going to be computed so:\n{}", setup_.want.model, plan::to_table(*made));
    } else {
        answer.reason = made.error().message + left_out;
    }
    perform(candidate_.plan_made(what.ticket, std::move(answer), now()));
}

asio::awaitable<result<plan::placement>> split_model::plan_on_thread(plan_inputs from, plan::wish what) {
    if (!shape_) {
        const split_measures with{
            .context = static_cast<std::int32_t>(setup_.want.context),
            .slots = static_cast<std::int32_t>(setup_.want.slots),
            .bytes_per_activation = with_.settings->activations == settings::activations::f32 ? 4 : 2,
            .one_machine_only = false};
        const auto file = with_.files->find_whole(setup_.content);
        if (!file) {
            co_return fail(plan::errc::invalid, setup_.want.model + " is not on this machine any more.");
        }
        auto measured = measure_shape(*file, setup_.want.model, with, with_.files->slices());
        if (!measured) {
            co_return measured.error();
        }
        shape_ = std::move(*measured);
    }
    co_return place_model(*shape_, from.machines, from.links, std::move(what));
}

asio::awaitable<void> split_model::run_assembly(std::shared_ptr<attempt> of) {
    pipeline::assembled done;
    auto assembling = assemble(of, &done);
    auto waiting = until_over(of);
    co_await aio::first_of(std::move(assembling), std::move(waiting));
    if (of->over) {
        co_return;
    }
    if (done.failed) {
        const auto& why = *done.failed;
        trouble what{.kind = kind_of(why.why)};
        if (why.said && why.said->about && why.said->holder_term > 0) {
            what.holder = deployment::claim{
                .term = why.said->holder_term, .coordinator = *why.said->about, .epoch = why.said->holder_epoch};
            what.holder_connected = why.said->holder_connected;
        }
        with_.log->warn("{}: {} does not take its part: {}", setup_.want.model, name_of(with_, why.node),
                        why.why.message);
        perform(candidate_.stage_failed(why.node, of->by.epoch, what, now()));
        co_return;
    }
    of->opened = std::move(done.stages);
    for (const pipeline::stage_place& one : of->spec.remote) {
        perform(candidate_.stage_ready(one.node, of->by.epoch, now()));
    }
}

asio::awaitable<void> split_model::assemble(std::shared_ptr<attempt> of, pipeline::assembled* into) {
    auto progress = [this](std::size_t, double fraction) { observer_.on_progress(static_cast<float>(fraction)); };
    pipeline::assembly_options options;
    options.limit = std::chrono::duration_cast<std::chrono::milliseconds>(deployment::load_limit);
    auto assembling = pipeline::assemble(of->spec, stages_, options, progress);
    auto done = co_await std::move(assembling);
    *into = std::move(done);
}

asio::awaitable<void> split_model::until_over(std::shared_ptr<attempt> of) {
    while (!of->over) {
        co_await of->closed.wait_until(deployment::time_point::max());
    }
}

asio::awaitable<void> split_model::run_load_last(deployment::load_last what) {
    const auto epoch = what.by.epoch;
    const deployment::assignment part{
        .layers = what.layers, .context = setup_.want.context, .slots = setup_.want.slots};
    trouble refused;
    auto lease = stages_.claim_own(
        setup_.content, what.by, part,
        [this, epoch](const trouble& why) {
            own_lease_.reset();
            failed(with_.self, epoch, why);
        },
        &refused);
    if (!lease) {
        perform(candidate_.stage_failed(with_.self, epoch, refused, now()));
        co_return;
    }
    own_lease_ = *lease;
    const gguf::layer_range layers{.first = static_cast<std::int32_t>(what.layers.first),
                                   .end = static_cast<std::int32_t>(what.layers.end)};
    if (layers.first == 0) {
        auto whole = co_await load_whole();
        if (!whole) {
            perform(candidate_.stage_failed(with_.self, epoch, {.kind = trouble_kind::failed}, now()));
            co_return;
        }
        whole_ = std::move(*whole);
        perform(candidate_.stage_ready(with_.self, epoch, now()));
        co_return;
    }
    whole_.reset();
    if (!chain_ && !draft_) {
        auto reading = load_text();
        auto read = co_await std::move(reading);
        if (!read) {
            with_.log->error("{}: {}", setup_.want.model, read.error().message);
            perform(candidate_.stage_failed(with_.self, epoch, {.kind = trouble_kind::failed}, now()));
            co_return;
        }
    }
    if (layers != own_layers_ || (!chain_ && !next_last_)) {
        own_layers_ = {};
        auto loading = stages_.load_last({.content = setup_.content,
                                          .layers = layers,
                                          .of_layers = static_cast<std::int32_t>(shape_->shape.layers.size()),
                                          .context = static_cast<std::int32_t>(setup_.want.context),
                                          .slots = static_cast<std::int32_t>(setup_.want.slots),
                                          .outputs = outputs_});
        auto loaded = co_await std::move(loading);
        if (!loaded) {
            with_.log->warn("{}: this machine's own layers cannot be loaded: {}", setup_.want.model,
                            loaded.error().message);
            perform(candidate_.stage_failed(with_.self, epoch, {.kind = kind_of(loaded.error())}, now()));
            co_return;
        }
        own_layers_ = layers;
        own_bytes_ = loaded->bytes;
        own_taken_ = std::move(loaded->taken);
        next_last_ = std::move(loaded->stage);
    }
    perform(candidate_.stage_ready(with_.self, epoch, now()));
}

llama::engine_options split_model::engine_options() const {
    llama::engine_options out;
    out.id = setup_.want.model;
    out.path = setup_.path;
    out.context = static_cast<std::int32_t>(setup_.want.context);
    out.slots = static_cast<std::int32_t>(setup_.want.slots);
    out.threads = with_.settings->threads;
    out.gpu_layers = with_.settings->gpu_layers;
    out.queue_limit = with_.settings->queue_limit;
    out.draft = setup_.draft;
    return out;
}

asio::awaitable<result<std::shared_ptr<engine::generator>>> split_model::load_whole() {
    const auto loading =
        [](llama::engine_options options) -> asio::awaitable<result<std::shared_ptr<engine::generator>>> {
        co_return llama::load_engine(std::move(options));
    };
    auto work = loading(engine_options());
    co_return co_await aio::run_on(planning_.get_executor(), std::move(work));
}

/// What an engine needs besides its stages: the vocabulary, and the draft model where there is one.
asio::awaitable<result<void>> split_model::load_text() {
    struct parts {
        std::shared_ptr<const llama::model> text;
        result<std::unique_ptr<llama::drafter>> draft = std::unique_ptr<llama::drafter>();
    };
    const auto loading = [](llama::engine_options options,
                            std::shared_ptr<const llama::model> text) -> asio::awaitable<result<parts>> {
        if (!text) {
            auto read = llama::model::load_text(options);
            if (!read) {
                co_return read.error();
            }
            text = std::move(*read);
        }
        parts out{.text = std::move(text)};
        out.draft = llama::load_drafter(options, *out.text, {}, {});
        co_return out;
    };
    auto work = loading(engine_options(), text_);
    auto loaded = co_await aio::run_on(planning_.get_executor(), std::move(work));
    if (!loaded) {
        co_return loaded.error();
    }
    text_ = std::move(loaded->text);
    if (loaded->draft) {
        draft_ = std::move(*loaded->draft);
    } else {
        with_.log->error("{} is served without its draft: {}", setup_.want.model, loaded->draft.error().message);
    }
    outputs_ = llama::outputs_with(draft_.get());
    co_return result<void>();
}

void split_model::make_engine(std::unique_ptr<pipeline::final_stage> last) {
    chain_ = std::make_shared<pipeline::chain_driver>(
        with_.network, stages_.inlets(), stages_, pipeline::chain_options{},
        [this](const node_id& node, const error& why) { on_lost(wired_epoch_, node, why); });
    engine_ = llama::make_engine(text_, chain_->make_chain(std::move(last)), engine_options(), {}, std::move(draft_));
}

void split_model::on_lost(deployment::epoch_number epoch, const node_id& node, const error& why) {
    if (!stopping_) {  // then it lets go of us
        with_.log->warn("{}: {} is lost: {}", setup_.want.model, name_of(with_, node), why.message);
    }
    loss_ = loss{.node = node, .why = why.message};
    failed(node, epoch, {.kind = kind_of(why)});
}

/// Streams that are under way end with `why`; whoever holds their tokens goes on with them elsewhere.
void split_model::end_engine(error why) {
    if (chain_) {
        chain_->end(std::move(why));
        ended_.push_back(std::move(chain_));
        tasks_.spawn(clear_ended());
    }
    if (engine_) {
        // Its destruction waits for its thread.
        asio::post(planning_, [held = std::move(engine_)]() mutable { held.reset(); });
    }
    engine_.reset();
    next_last_.reset();
    own_layers_ = {};
    own_taken_.reset();
    own_bytes_ = 0;
    wired_epoch_ = 0;
    wired_.clear();
    stage_bytes_.clear();
}

asio::awaitable<void> split_model::clear_ended() {
    while (!ended_.empty()) {
        const std::shared_ptr<pipeline::chain_driver> one = ended_.front();
        co_await one->stop();
        std::erase(ended_, one);
    }
}

asio::awaitable<void> split_model::stop() {
    stopping_ = true;
    perform(candidate_.stop(deployment::farewell::hand_over, now()));
    const auto until = now() + farewell_limit;
    while (candidate_.state() != deployment::candidate_state::stopped && now() < until) {
        const auto at = std::min(until, candidate_.next_tick());
        co_await clock_.wait_until(at);
        if (now() >= candidate_.next_tick()) {
            perform(candidate_.tick(now()));
        }
    }
    end_attempt();
    if (own_lease_) {
        stages_.release_own(setup_.content, *std::exchange(own_lease_, std::nullopt));
    }
    end_engine(fail(engine::errc::unavailable, "The node that coordinates this model was stopped."));
    tasks_.cancel();
    co_await tasks_.join();
    co_await clear_ended();
    whole_.reset();
    planning_.join();
}

std::optional<peers::told_stage> split_model::own_stage() const {
    if (!told_ || own_bytes_ == 0) {
        return std::nullopt;
    }
    return peers::told_stage{.content = setup_.content,
                             .first_layer = own_layers_.first,
                             .end_layer = own_layers_.end,
                             .memory_bytes = own_bytes_,
                             .ms_per_token = figures().own_ms_per_token,
                             .ready = wired_epoch_ > 0};
}

pipeline::chain_figures split_model::figures() const {
    return chain_ ? chain_->figures() : pipeline::chain_figures{};
}

}  // namespace starling::node
