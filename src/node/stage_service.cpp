#include "node/stage_service.hpp"

#include "aio/run_on.hpp"
#include "aio/together.hpp"
#include "aio/wake_up.hpp"
#include "base/memory.hpp"
#include "base/size_text.hpp"
#include "gguf/gguf.hpp"
#include "llama/dry_run.hpp"
#include "node/model_files.hpp"
#include "node/split_shape.hpp"
#include "pipeline/llama_engine.hpp"
#include "pipeline/stage_messages.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;
using deployment::trouble;
using deployment::trouble_kind;
using pipeline::errc;
using std::chrono::steady_clock;

namespace {

constexpr auto answer_time = std::chrono::seconds(5);
constexpr auto unused_time = std::chrono::seconds(5);    // a step of a long prompt on a slow machine
constexpr auto parting_time = std::chrono::seconds(60);  // of a stage that never rests; its answers go on elsewhere
constexpr const char* owner_says_no = "This node does not work for others: its owner has switched sharing off.";
constexpr std::size_t max_models = 64;  // that leases are kept of; a node computes parts of a few

/// A stage of another member, counted for as long as it lives.
class counted_engine final : public pipeline::stage_engine {
  public:
    counted_engine(std::unique_ptr<pipeline::stage_engine> of, std::shared_ptr<std::atomic<std::uint64_t>> taken)
        : of_(std::move(of)), taken_(std::move(taken)), bytes_(of_->memory_bytes()) {
        *taken_ += bytes_;
    }
    ~counted_engine() override {
        of_.reset();
        *taken_ -= bytes_;
    }
    pipeline::layer_range layers() const override { return of_->layers(); }
    std::int32_t width() const override { return of_->width(); }
    std::uint64_t memory_bytes() const override { return bytes_; }
    result<void> run(const llama::step& step, std::span<const float> in, std::vector<float>* out) override {
        return of_->run(step, in, out);
    }
    result<void> clear() override { return of_->clear(); }
    void interrupt() override { of_->interrupt(); }

  private:
    std::unique_ptr<pipeline::stage_engine> of_;
    std::shared_ptr<std::atomic<std::uint64_t>> taken_;
    std::uint64_t bytes_;
};

pipeline::stage_refused refusal_for(const trouble& why) {
    const bool over = why.kind == trouble_kind::superseded || why.kind == trouble_kind::revoked;
    pipeline::stage_refused out;
    out.why = fail(over ? errc::superseded : errc::busy, why.kind == trouble_kind::leaving
                                                             ? "This node is stopping."
                                                             : "Another coordinator has this part of the model here.");
    if (why.holder) {
        out.about = why.holder->coordinator;
        out.holder_term = why.holder->term;
        out.holder_epoch = why.holder->epoch;
        out.holder_connected = why.holder_connected;
    }
    return out;
}

/// `limit` is 0 where there is none.
std::uint64_t within_limit(std::uint64_t limit, std::uint64_t available, std::uint64_t used) {
    return limit == 0 ? available : std::min(available, limit > used ? limit - used : 0);
}

}  // namespace

std::string name_of(const split_parts& in, const node_id& node) {
    if (node == in.self) {
        return in.settings->name;
    }
    if (const auto* members = in.members()) {
        for (const peers::peer_view& one : members->peers()) {
            if (one.id == node && !one.said.name.empty()) {
                return fmt::format("{} ({})", one.said.name, short_name(node));
            }
        }
    }
    return short_name(node);
}

stage_service::stage_service(const split_parts& with)
    : with_(with),
      inlets_([log = with.log](const node_id& from, const error& why) {
          log->debug("a data stream of {} was not taken: {}", short_name(from), why.message);
      }),
      host_(with.network, pipeline::host_options{.self = with.self}, *this, {}, inlets_, *this),
      taken_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

asio::awaitable<void> stage_service::serve(transport::message_stream on, std::string first, node_id from) {
    auto parsed = pipeline::parse_stage_message(first);
    if (parsed && std::holds_alternative<pipeline::stage_data>(*parsed)) {
        co_await inlets_.serve(std::move(on), std::move(first), from);
        co_return;
    }
    const auto* asked = parsed ? std::get_if<pipeline::stage_open>(&*parsed) : nullptr;
    if (asked == nullptr || asked->coordinator != from) {
        co_await host_.serve(std::move(on), std::move(first), from);  // says what is wrong
        co_return;
    }
    if (auto why = objection(*asked, from)) {
        const pipeline::stage_message message(std::move(*why));
        auto told = co_await on.send(pipeline::to_json(message), steady_clock::now() + answer_time);
        if (told) {
            on.finish();
        }
        co_return;
    }
    const std::string content = asked->content;
    const auto deployment = asked->deployment;
    const deployment::claim by{.term = asked->term, .coordinator = from, .epoch = asked->epoch};
    const deployment::assignment what{.layers = {.first = static_cast<std::uint32_t>(asked->layers.first),
                                                 .end = static_cast<std::uint32_t>(asked->layers.end)},
                                      .context = static_cast<std::uint32_t>(asked->context),
                                      .slots = static_cast<std::uint32_t>(asked->sequences)};
    const auto stream = ++next_stream_;
    const auto refused =
        open(content, stream, by, what, false, [this, deployment](const trouble&) { host_.supersede(deployment); });
    if (refused) {
        const pipeline::stage_message message(refusal_for(*refused));
        auto told = co_await on.send(pipeline::to_json(message), steady_clock::now() + answer_time);
        if (told) {
            on.finish();
        }
        co_return;
    }
    with_.log->info("computes layers {} to {} of {} for {}", asked->layers.first, asked->layers.end - 1, asked->model,
                    name_of(with_, from));
    with_.status_changed();
    struct closing {
        closing(stage_service* of, const std::string* which, deployment::stream_number number)
            : self(of), content(which), stream(number) {}
        closing(const closing&) = delete;
        closing& operator=(const closing&) = delete;
        ~closing() { self->close(*content, stream); }
        stage_service* self;
        const std::string* content;
        deployment::stream_number stream;
    } when_over(this, &content, stream);
    co_await host_.serve(std::move(on), std::move(first), from);
}

/// What can be said before anything is remembered of the one who asks.
std::optional<pipeline::stage_refused> stage_service::objection(const pipeline::stage_open& asked,
                                                                const node_id& from) {
    if (find(from) == nullptr) {
        return pipeline::stage_refused{.why = fail(errc::declined, "Only a worker can coordinate a model."),
                                       .about = {}};
    }
    if (!with_.shares()) {
        return pipeline::stage_refused{.why = fail(errc::declined, owner_says_no), .about = {}};
    }
    if (leases_.size() >= max_models && leases_.find(asked.content) == leases_.end()) {
        return pipeline::stage_refused{.why = fail(errc::busy, "This node takes part in as many models as it can."),
                                       .about = {}};
    }
    return std::nullopt;
}

std::optional<trouble> stage_service::open(const std::string& content, deployment::stream_number stream,
                                           const deployment::claim& by, const deployment::assignment& what, bool own,
                                           turned_away on_lost) {
    leased& of = leases_[content];
    of.streams.push_back({.stream = stream, .own = own, .on_lost = std::move(on_lost)});
    return apply(of, of.lease.open(stream, by, what, steady_clock::now()), stream);
}

/// The host loads and keeps layers by itself; of what the lease says, only who may have them is carried out here.
std::optional<trouble> stage_service::apply(leased& of, const deployment::lease::actions& list,
                                            std::optional<deployment::stream_number> asking) {
    std::optional<trouble> refused;
    std::vector<std::pair<turned_away, trouble>> lost;
    for (const auto& action : list) {
        if (const auto* load = std::get_if<deployment::lease::load>(&action)) {
            static_cast<void>(of.lease.loaded(load->ticket, steady_clock::now()));
        }
        const auto* away = std::get_if<deployment::lease::turn_away>(&action);
        if (away == nullptr) {
            continue;
        }
        const auto found = std::find_if(of.streams.begin(), of.streams.end(),
                                        [&](const granted& one) { return one.stream == away->stream; });
        if (found == of.streams.end()) {
            continue;
        }
        if (asking == away->stream) {
            refused = away->why;
        } else {
            lost.emplace_back(std::move(found->on_lost), away->why);
        }
        of.streams.erase(found);
    }
    for (const auto& [tell, why] : lost) {
        tell(why);
    }
    return refused;
}

void stage_service::close(const std::string& content, deployment::stream_number stream) {
    const auto found = leases_.find(content);
    if (found == leases_.end()) {
        return;
    }
    leased& of = found->second;
    std::erase_if(of.streams, [&](const granted& one) { return one.stream == stream; });
    apply(of, of.lease.stream_ended(stream, steady_clock::now()), std::nullopt);
    with_.status_changed();
}

result<deployment::stream_number> stage_service::claim_own(const std::string& content, const deployment::claim& by,
                                                           const deployment::assignment& what, turned_away on_lost,
                                                           trouble* refused) {
    const auto stream = ++next_stream_;
    if (const auto why = open(content, stream, by, what, true, std::move(on_lost))) {
        *refused = *why;
        return fail(errc::busy, "Another coordinator has this node's part of the model.");
    }
    return stream;
}

void stage_service::release_own(const std::string& content, deployment::stream_number stream) {
    close(content, stream);
}

std::optional<deployment::claim> stage_service::holder(const std::string& content) const {
    const auto found = leases_.find(content);
    return found != leases_.end() ? found->second.lease.holder() : std::nullopt;
}

std::vector<std::string> stage_service::held_for_others() const {
    std::vector<std::string> out;
    for (const auto& [content, of] : leases_) {
        const auto holder = of.lease.holder();
        if (holder && holder->coordinator != with_.self) {
            out.push_back(content);
        }
    }
    return out;
}

void stage_service::leave() {
    for (auto& [content, of] : leases_) {
        apply(of, of.lease.leave(steady_clock::now()), std::nullopt);
    }
}

/// Answers under way go on when sharing is switched off; layers that wait for the next one do not stay for it.
void stage_service::release_unused() {
    const auto now = steady_clock::now();
    std::map<pipeline::deployment_id, watched> seen;
    for (const pipeline::hosted_stage& one : with_.shares() ? std::vector<pipeline::hosted_stage>() : host_.stages()) {
        const auto before = watched_.find(one.opened.deployment);
        watched as = before != watched_.end() ? before->second : watched{.worked = now, .since = now};
        if (as.steps != one.figures.steps) {
            as.steps = one.figures.steps;
            as.worked = now;
        }
        if (now - as.worked >= unused_time || now - as.since >= parting_time) {
            host_.withdraw(one.opened.deployment, owner_says_no);
        }
        seen.emplace(one.opened.deployment, as);
    }
    watched_ = std::move(seen);
}

std::uint64_t stage_service::held_bytes() const {
    std::uint64_t sum = 0;
    for (const pipeline::hosted_stage& one : host_.stages()) {
        sum += one.memory_bytes;
    }
    return sum;
}

void stage_service::tick() {
    release_unused();
    for (auto at = leases_.begin(); at != leases_.end();) {
        apply(at->second, at->second.lease.tick(steady_clock::now()), std::nullopt);
        at = at->second.lease.empty() && at->second.streams.empty() ? leases_.erase(at) : std::next(at);
    }
}

std::shared_ptr<transport::connection> stage_service::find(const node_id& node) {
    if (const auto* members = with_.members()) {
        for (const peers::peer_view& one : members->peers()) {
            if (one.id == node && !one.revoked && one.said.certificate.role == admission::role::worker) {
                return one.connection;
            }
        }
    }
    return nullptr;
}

/// What --memory allows, or what the system has. Layers that are only kept in case they are wanted again go as soon as
/// the room is needed, so what they take counts as free.
std::uint64_t stage_service::free_bytes() const {
    const std::uint64_t in_use = own_bytes_ + held_bytes();
    const std::uint64_t taken = *taken_;
    const std::uint64_t kept = taken > in_use ? taken - in_use : 0;
    return within_limit(with_.settings->memory_bytes, free_of_system() + kept, in_use + with_.whole_models_bytes());
}

/// With what is loaded now, and nothing given up. Any thread.
std::uint64_t stage_service::room_now(room_rules rules) const {
    return within_limit(rules.limit_bytes, free_of_system(), *taken_ + rules.whole_models_bytes);
}

std::uint64_t stage_service::free_of_system() const {
    settings::config unlimited;
    unlimited.gpu_layers = with_.settings->gpu_layers;
    return memory_for_models(unlimited);
}

asio::awaitable<result<std::unique_ptr<pipeline::stage_engine>>> stage_service::load(
    pipeline::stage_open what, std::function<void(double)> progress) {
    load_order order;
    order.part = {.content = what.content,
                  .layers = {.first = what.layers.first, .end = what.layers.end},
                  .of_layers = what.layers.of,
                  .context = what.context,
                  .slots = what.sequences};
    order.progress = std::move(progress);
    auto made = co_await load_layers(std::move(order));
    if (!made) {
        with_.log->warn("layers {} to {} of {} cannot be computed here: {}", what.layers.first, what.layers.end - 1,
                        what.model, made.error().message);
        co_return made.error();
    }
    auto engine = pipeline::make_stage_engine(std::move(made->stage), what.layers, what.sequences, made->bytes);
    co_return std::make_unique<counted_engine>(std::move(engine), taken_);
}

void stage_service::discard(std::unique_ptr<pipeline::stage_engine> engine) {
    auto held = std::make_shared<std::unique_ptr<pipeline::stage_engine>>(std::move(engine));
    asio::post(loading_, [held] { held->reset(); });
}

asio::awaitable<result<stage_service::own_stage>> stage_service::load_last(own_part what) {
    const auto layers = what.layers.size();
    const auto slots = what.slots;
    load_order order;
    order.part = std::move(what);
    auto made = co_await load_layers(std::move(order));
    if (!made) {
        co_return made.error();
    }
    own_stage out;
    out.bytes = made->bytes;
    out.stage = pipeline::make_final_stage(std::move(made->stage), layers, slots);
    *taken_ += out.bytes;
    own_bytes_ += out.bytes;
    out.taken = std::shared_ptr<void>(nullptr, [this, taken = taken_, bytes = out.bytes](void*) {
        *taken -= bytes;
        own_bytes_ -= bytes;
    });
    co_return out;
}

asio::awaitable<result<stage_service::sized_stage>> stage_service::load_layers(load_order order) {
    auto from = with_.files->find(order.part.content, order.part.layers);
    if (!from) {
        co_await with_.files->look();
        from = with_.files->find(order.part.content, order.part.layers);
    }
    if (!from || from->of_layers != order.part.of_layers) {
        co_return fail(
            errc::no_model,
            "The model's file is not on this machine; put it there, and name its directory with --model-dir.");
    }
    order.given_up = std::make_shared<std::atomic<bool>>(false);
    result<sized_stage> outcome = fail(errc::closed, "The load was given up.");
    auto watching = give_up_when_left(order.given_up);
    const room_rules rules{.limit_bytes = with_.settings->memory_bytes,
                           .whole_models_bytes = with_.whole_models_bytes()};
    auto running = load_on_thread(*from, std::move(order), rules, &outcome);
    co_await aio::first_of(std::move(running), std::move(watching));
    co_return outcome;
}

/// Waits until it is cancelled: the thread that loads looks at the flag.
asio::awaitable<void> stage_service::give_up_when_left(std::shared_ptr<std::atomic<bool>> flag) {
    struct raise {
        explicit raise(std::atomic<bool>& which) : flag(which) {}
        raise(const raise&) = delete;
        raise& operator=(const raise&) = delete;
        ~raise() { flag = true; }
        std::atomic<bool>& flag;
    } when_left(*flag);
    aio::wake_up never(with_.network);
    co_await never.wait_until(steady_clock::time_point::max());
}

asio::awaitable<void> stage_service::load_on_thread(stage_file from, load_order order, room_rules rules,
                                                    result<sized_stage>* outcome) {
    const auto blocking = [](const stage_service* self, stage_file file, load_order what,
                             room_rules within) -> asio::awaitable<result<sized_stage>> {
        co_return self->load_blocking(file, what, within);
    };
    auto work = blocking(this, std::move(from), std::move(order), rules);
    auto loaded = co_await aio::run_on(loading_.get_executor(), std::move(work));
    *outcome = std::move(loaded);
}

result<stage_service::sized_stage> stage_service::load_blocking(const stage_file& from, const load_order& order,
                                                                room_rules rules) const {
    auto file = with_.files->slice(from, order.part.layers);
    if (!file) {
        return fail(errc::load_failed, file.error().message);
    }
    auto loaded = load_file(file->path, order, rules);
    if (!loaded && loaded.error() == errc::load_failed && !*order.given_up && with_.files->discard(*file)) {
        file = with_.files->slice(from, order.part.layers);  // what an earlier run left was broken
        loaded = file ? load_file(file->path, order, rules) : fail(errc::load_failed, file.error().message);
    }
    if (loaded && file->fresh) {
        with_.files->keep(std::move(*file->fresh), from);
    }
    return loaded;
}

result<stage_service::sized_stage> stage_service::load_file(const std::filesystem::path& path, const load_order& order,
                                                            room_rules rules) const {
    const own_part& part = order.part;
    llama::stage_options options{.context = part.context, .sequences = part.slots, .threads = with_.settings->threads};
    options.widest = split_step_tokens;
    options.outputs = part.outputs;
    const auto header = gguf::read_header(path);
    const auto memory = llama::measure_stage(path, options);
    if (!header || !memory) {
        return fail(errc::load_failed, header ? memory.error().message : header.error().message);
    }
    const std::uint64_t bytes = header->tensor_bytes() + memory->cache_bytes + memory->compute_bytes;
    const std::uint64_t room = room_now(rules);
    if (bytes > room) {
        return fail(errc::no_memory, fmt::format("{} are needed and {} are free", size_text(bytes), size_text(room)));
    }
    llama::engine_options load;
    load.id = part.content.substr(0, 16);
    load.path = path;
    load.gpu_layers = with_.settings->gpu_layers;
    const auto progress = [&](float fraction) {
        if (order.progress) {
            asio::post(with_.network, [tell = order.progress, given_up = order.given_up, fraction] {
                if (!*given_up) {
                    tell(fraction);
                }
            });
        }
        return !*order.given_up;
    };
    auto model = llama::model::load(load, progress, {});
    if (!model) {
        return fail(errc::load_failed, model.error().message);
    }
    auto stage = llama::stage::create(*model, options);
    if (!stage) {
        return fail(errc::load_failed, stage.error().message);
    }
    return sized_stage{.stage = std::move(*stage), .bytes = bytes};
}

}  // namespace starling::node
