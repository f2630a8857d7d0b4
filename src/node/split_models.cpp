#include "node/split_models.hpp"

#include "aio/pause.hpp"
#include "aio/run_on.hpp"
#include "gguf/gguf.hpp"
#include "node/log_bugs.hpp"
#include "node/machine_speed.hpp"
#include "node/model_plan.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

namespace {

constexpr auto clock_time = std::chrono::seconds(1);

/// Whether there are others that could coordinate a model, and each of them has told what it does.
bool is_everybody_heard(const std::vector<peers::peer_view>& all) {
    std::size_t heard = 0;
    for (const peers::peer_view& one : all) {
        const bool is_here = !one.revoked && one.said.certificate.role == admission::role::worker &&
                             one.state != membership::member_state::dead && one.state != membership::member_state::left;
        if (is_here && !one.status) {
            return false;
        }
        heard += is_here ? 1 : 0;
    }
    return heard > 0;
}

}  // namespace

split_models::split_models(split_parts with, models::model_store& store, heir_observer on_heir)
    : with_([&] {
          with.files = &files_;
          return std::move(with);
      }()),
      files_(*with_.settings, store, with_.log),
      stages_(with_),
      on_heir_(std::move(on_heir)),
      tasks_(with_.network, log_bugs(with_.log, "split models")) {}

split_models::~split_models() = default;

void split_models::start() {
    tasks_.spawn(run_clock());
    tasks_.spawn(run_look());
}

asio::awaitable<void> split_models::stop() {
    stopping_ = true;
    for (auto& [content, model] : models_) {
        co_await model->stop();
    }
    stages_.leave();
    tasks_.cancel();
    co_await tasks_.join();
    models_.clear();
}

asio::awaitable<void> split_models::run_clock() {
    for (;;) {
        co_await aio::pause(clock_time);
        stages_.tick();
    }
}

/// Before anything can be lent: what there is here, and how fast it is.
asio::awaitable<void> split_models::run_look() {
    const auto measuring = [](std::int32_t threads) -> asio::awaitable<double> {
        co_return measure_read_speed(threads);
    };
    auto work = measuring(with_.settings->threads);
    read_bytes_per_s_ = co_await aio::run_on(measuring_.get_executor(), std::move(work));
    co_await files_.look();
    with_.status_changed();
    members_changed();
}

void split_models::serve_model(split_request what, split_observer observer) {
    tasks_.spawn(run_serve_model(std::move(what), std::move(observer)));
}

deployment::want_record split_models::want(const split_request& what, const gguf::file_header& header) const {
    const settings::config& settings = *with_.settings;
    deployment::want_record out;
    out.model = what.id;
    out.stages =
        settings.split == settings::split_mode::exactly ? static_cast<std::uint32_t>(settings.split_stages) : 0;
    const split_size size = choose_split_size(settings, header);
    out.context = size.context;
    out.slots = size.slots;
    return out;
}

asio::awaitable<void> split_models::run_serve_model(split_request what, split_observer observer) {
    co_await files_.look();
    const auto file = files_.at(what.path);
    const auto header = gguf::read_header(what.path);
    if (!file || !header) {
        observer.on_down(header ? fail(engine::errc::unavailable, what.path.string() + " cannot be read.")
                                : header.error());
        if (observer.on_decided) {
            observer.on_decided();
        }
        co_return;
    }
    split_setup setup{
        .content = file->content, .want = want(what, *header), .path = what.path, .draft = std::move(what.draft)};
    add(std::move(setup), std::move(observer)).start();
    with_.status_changed();
    members_changed();
}

split_model& split_models::add(split_setup setup, split_observer observer) {
    std::string content = setup.content;
    auto made = std::make_unique<split_model>(
        with_, stages_, [this] { return offer(); }, std::move(setup), std::move(observer));
    auto& held = models_[std::move(content)];
    held = std::move(made);
    return *held;
}

asio::awaitable<void> split_models::serve_stage(transport::message_stream on, std::string first, node_id from) {
    if (stopping_) {
        co_return;
    }
    co_await stages_.serve(std::move(on), std::move(first), from);
}

void split_models::members_changed() {
    const auto* members = with_.members();
    if (members == nullptr || stopping_) {
        return;
    }
    const auto all = members->peers();
    for (const peers::peer_view& one : all) {
        const bool gone =
            one.revoked || one.state == membership::member_state::dead || one.state == membership::member_state::left;
        for (auto& [content, model] : models_) {
            const deployment::told_claim* told = nullptr;
            if (!gone && one.status) {
                for (const deployment::told_claim& claim : one.status->claims) {
                    told = claim.model == content && claim.what.by.coordinator == one.id ? &claim : told;
                }
            }
            std::set<node_id>& claimants = claimants_[content];
            if (told != nullptr) {
                claimants.insert(one.id);
                model->heard(one.id, told->what);
            } else if ((gone || one.status) && claimants.erase(one.id) > 0) {
                model->claim_gone(one.id, gone ? deployment::parting::dead : deployment::parting::withdrawn);
            }
        }
    }
    consider_heirs();
    const bool heard = is_everybody_heard(all);
    for (auto& [content, model] : models_) {
        model->members_changed();
        if (heard) {
            model->everybody_heard();
        }
    }
}

std::optional<deployment::announcement> split_models::claim_told(const std::string& content) const {
    const auto* members = with_.members();
    const auto holder = stages_.holder(content);
    for (const peers::peer_view& one : members != nullptr ? members->peers() : std::vector<peers::peer_view>()) {
        if (!one.status || !holder || one.id != holder->coordinator) {
            continue;
        }
        for (const deployment::told_claim& claim : one.status->claims) {
            if (claim.model == content) {
                return claim.what;
            }
        }
    }
    return std::nullopt;
}

/// Who computes a part of a model and has all of it can take its coordinator's place.
void split_models::consider_heirs() {
    if (!with_.shares()) {
        return;
    }
    for (const std::string& content : stages_.held_for_others()) {
        const auto known = models_.find(content);
        if (known != models_.end()) {
            if (!known->second->may_claim()) {
                known->second->inherit();
            }
            continue;
        }
        const auto file = files_.find_whole(content);
        const auto told = claim_told(content);
        if (!file || !told) {
            continue;
        }
        split_setup setup{.content = content, .want = told->want, .path = file->path, .draft = {}};
        split_model& model = add(std::move(setup), on_heir_(told->want.model, file->path));
        claimants_[content].insert(told->by.coordinator);
        model.heard(told->by.coordinator, *told);
        model.inherit();
    }
}

peers::node_offer split_models::offer() const {
    peers::node_offer out;
    out.read_bytes_per_s = read_bytes_per_s_;
    for (const stage_file& one : files_.all()) {
        if (out.files.size() < peers::max_told_files) {
            out.files.push_back({.content = one.content,
                                 .first_layer = one.layers.first,
                                 .end_layer = one.layers.end,
                                 .layers = one.of_layers});
        }
    }
    out.memory_bytes = out.files.empty() ? 0 : lendable_bytes(*with_.settings, stages_.free_bytes());
    if (const auto* members = with_.members()) {
        for (const peers::peer_view& one : members->peers()) {
            if (one.connection && out.links.size() < peers::max_told_links) {
                const std::chrono::duration<double, std::milli> time = one.connection->facts().round_trip;
                out.links.push_back({.to = one.id, .round_trip_ms = time.count()});
            }
        }
    }
    for (const pipeline::hosted_stage& one : stages_.stages()) {
        out.stages.push_back({.content = one.opened.content,
                              .first_layer = one.opened.layers.first,
                              .end_layer = one.opened.layers.end,
                              .memory_bytes = one.memory_bytes,
                              .ms_per_token = one.figures.ms_per_token,
                              .ready = one.ready});
    }
    for (const auto& [content, model] : models_) {
        if (const auto own = model->own_stage()) {
            out.stages.push_back(*own);
        }
    }
    return out;
}

void split_models::tell(peers::node_status& into) const {
    into.offer = offer();
    if (!with_.shares()) {
        // Room for what it still computes, so that no plan leaves it out before stage_service lets go; more is refused.
        into.offer.memory_bytes = stages_.held_bytes();
    }
    for (const auto& [content, model] : models_) {
        if (!model->told()) {
            continue;
        }
        deployment::told_claim claim{.model = content, .what = *model->told()};
        if (claim.what.reason.empty()) {
            claim.what.reason = model->reason();
        }
        into.claims.push_back(std::move(claim));
    }
}

std::vector<api::deployment_facts> split_models::facts() const {
    std::vector<api::deployment_facts> out;
    const auto* members = with_.members();
    const auto all = members != nullptr ? members->peers() : std::vector<peers::peer_view>();
    const auto add = [&](const deployment::told_claim& claim, const std::string& reason) {
        api::deployment_facts one;
        one.model = claim.what.want.model;
        one.coordinator = to_string(claim.what.by.coordinator);
        one.epoch = claim.what.by.epoch;
        one.state = deployment::to_string(claim.what.state);
        one.reason = claim.what.reason.empty() ? reason : claim.what.reason;
        for (const deployment::stage& stage : claim.what.stages) {
            api::stage_facts facts;
            facts.node_id = to_string(stage.node);
            facts.first_layer = static_cast<std::int32_t>(stage.layers.first);
            facts.last_layer = static_cast<std::int32_t>(stage.layers.end) - 1;
            facts.state = claim.what.state == deployment::announced_state::serving ? "ready" : "loading";
            const auto fill = [&](const peers::node_offer& offer) {
                for (const peers::told_stage& told : offer.stages) {
                    if (told.content == claim.model && told.first_layer == facts.first_layer) {
                        facts.memory_bytes = told.memory_bytes;
                        facts.ms_per_token = told.ms_per_token;
                        facts.state = told.ready ? "ready" : "loading";
                    }
                }
            };
            for (const peers::peer_view& peer : all) {
                if (peer.id == stage.node) {
                    facts.name = peer.said.name;
                }
                if (peer.id == stage.node && peer.status) {
                    fill(peer.status->offer);
                }
                if (peer.id == stage.node && !peer.connection) {
                    facts.state = "lost";
                }
            }
            if (stage.node == with_.self) {
                facts.name = with_.settings->name;
                fill(offer());
            }
            if (const auto own = models_.find(claim.model);
                own != models_.end() && claim.what.by.coordinator == with_.self) {
                for (const pipeline::stage_figures& figures : own->second->figures().stages) {
                    const bool is_it = figures.node == stage.node && figures.ms_per_token > 0.0;  // and not as old
                    facts.ms_per_token = is_it ? figures.ms_per_token : facts.ms_per_token;
                }
            }
            one.stages.push_back(std::move(facts));
        }
        out.push_back(std::move(one));
    };
    for (const auto& [content, model] : models_) {
        if (model->told()) {
            add({.model = content, .what = *model->told()}, model->reason());
        }
    }
    for (const peers::peer_view& one : all) {
        if (one.status && one.connection) {
            for (const deployment::told_claim& claim : one.status->claims) {
                add(claim, {});
            }
        }
    }
    return out;
}

api::stage_traffic split_models::traffic() const {
    api::stage_traffic out;
    for (const pipeline::hosted_stage& one : stages_.stages()) {
        out.sent_bytes += one.figures.sent_bytes;
        out.received_bytes += one.figures.received_bytes;
    }
    for (const auto& [content, model] : models_) {
        const auto figures = model->figures();
        out.sent_bytes += figures.sent_bytes;
        out.received_bytes += figures.received_bytes;
    }
    return out;
}

/// What a model takes already: it would be given back for another plan.
taken_bytes split_models::taken_by(const std::string& content) const {
    taken_bytes out;
    if (const auto own = models_.find(content); own != models_.end()) {
        out = own->second->taken();
    }
    if (out.empty()) {  // somebody else coordinates it, or nobody
        const auto add = [&](const node_id& id, const peers::node_offer& offer) {
            for (const peers::told_stage& one : offer.stages) {
                out[id] += one.content == content ? one.memory_bytes : 0;
            }
        };
        add(with_.self, offer());
        const auto* members = with_.members();
        for (const peers::peer_view& one : members != nullptr ? members->peers() : std::vector<peers::peer_view>()) {
            if (one.status) {
                add(one.id, one.status->offer);
            }
        }
    }
    out[with_.self] += with_.whole_model_bytes(content);
    return out;
}

/// A split model that others named is known by that name too: its file may be called otherwise here.
asio::awaitable<result<named_file>> split_models::find_named(models::reference which) {
    if (which.kind == models::reference_kind::id) {
        const auto* members = with_.members();
        for (const peers::peer_view& one : members != nullptr ? members->peers() : std::vector<peers::peer_view>()) {
            for (const auto& claim : one.status ? one.status->claims : std::vector<deployment::told_claim>()) {
                const auto file = claim.what.want.model == which.path ? files_.find_whole(claim.model) : std::nullopt;
                if (file) {
                    co_return named_file{.id = which.path, .file = *file};
                }
            }
        }
    }
    auto finding = files_.find_named(std::move(which));
    co_return co_await std::move(finding);
}

asio::awaitable<result<plan::placement>> split_models::plan(models::reference which, settings::config how) {
    auto finding = find_named(std::move(which));
    const auto named = co_await std::move(finding);
    if (!named) {
        co_return named.error();
    }
    const auto measuring = [](named_file of, settings::config with,
                              std::filesystem::path scratch) -> asio::awaitable<result<plan_subject>> {
        co_return measure_subject(of.file, of.id, with, scratch);
    };
    auto work = measuring(*named, std::move(how), files_.slices());
    auto subject = co_await aio::run_on(measuring_.get_executor(), std::move(work));
    if (!subject) {
        co_return subject.error();
    }
    const std::string& content = named->file.content;
    peers::node_offer own = offer();
    own.files = {
        {.content = content, .first_layer = 0, .end_layer = named->file.of_layers, .layers = named->file.of_layers}};
    own.memory_bytes = lendable_bytes(*with_.settings, stages_.free_bytes());
    subject->wish.coordinator = with_.self;
    if (const auto serving = models_.find(content); serving != models_.end()) {
        const deployment::want_record& want = serving->second->setup().want;
        if (want.context == subject->wish.context && want.slots == subject->wish.slots) {
            subject->wish.previous = serving->second->loaded();
        }
    }
    const auto inputs = gather_plan_inputs(with_, own, content, taken_by(content));
    auto made = place_model(subject->measured, inputs.machines, inputs.links, subject->wish);
    if (!made) {
        co_return error{made.error().code, made.error().message + left_out_text(inputs)};
    }
    if (made->stages.size() > 1) {
        made->reason += left_out_text(inputs);
    }
    co_return made;
}

}  // namespace starling::node
