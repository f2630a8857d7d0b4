#include "node/model_loader.hpp"

#include "aio/run_on.hpp"
#include "llama/llama.hpp"
#include "models/content_id.hpp"
#include "node/key_file.hpp"
#include "node/model_files.hpp"
#include "upstream/upstream.hpp"

#include <spdlog/logger.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

namespace {

llama::engine_options engine_options(const settings::config& settings, const std::string& id,
                                     const models::local_model& file, const std::filesystem::path& draft) {
    llama::engine_options out;
    out.id = id;
    out.path = file.path;
    out.draft = draft;
    out.context = settings.context;
    out.slots = settings.slots;
    out.threads = settings.threads;
    out.gpu_layers = settings.gpu_layers;
    out.queue_limit = settings.queue_limit;
    return out;
}

/// llama.cpp is talkative: what it calls information is detail to us.
spdlog::level::level_enum level_of(llama::log_level level) {
    switch (level) {
        case llama::log_level::debug: return spdlog::level::trace;
        case llama::log_level::info: return spdlog::level::debug;
        case llama::log_level::warning: return spdlog::level::warn;
        case llama::log_level::error: return spdlog::level::err;
    }
    return spdlog::level::debug;
}

}  // namespace

model_loader::model_loader(loader_services services, const settings::config& settings)
    : services_(std::move(services)),
      settings_(settings),
      settled_(services_.network, asio::steady_timer::time_point::max()) {}

model_loader::~model_loader() = default;

result<void> model_loader::add_upstream(const std::string& model) {
    upstream::options options;
    options.id = model;
    options.base_url = settings_.upstream;
    options.model = model;
    if (!settings_.upstream_key_file.empty()) {
        auto keys = read_keys(settings_.upstream_key_file);
        if (!keys) {
            return keys.error();
        }
        options.api_key = keys->front();
    }
    auto made = upstream::create(std::move(options), *services_.http);
    if (!made) {
        return fail(settings::errc::wrong_usage, made.error().message);
    }
    services_.table->announce(model, settings_.upstream);
    services_.table->set_ready(model, std::move(*made));
    ++ready_;
    return {};
}

/// The draft is checked as soon as the models that it is for.
result<void> model_loader::find_draft() {
    if (settings_.draft.empty() || draft_) {
        return {};
    }
    auto parsed = models::parse_reference(settings_.draft);
    if (!parsed) {
        return fail(errc::model, parsed.error().message);
    }
    const auto details = services_.store->show(*parsed);
    if (details) {
        draft_fit_ = details->memory;
    } else if (parsed->kind != models::reference_kind::hub || details.error() != models::errc::not_here) {
        return fail(errc::model, details.error().message);
    }
    draft_ = std::move(*parsed);
    return {};
}

result<void> model_loader::add(const std::string& reference) {
    if (auto found = find_draft(); !found) {
        return found;
    }
    auto parsed = models::parse_reference(reference);
    if (!parsed) {
        return fail(errc::model, parsed.error().message);
    }
    wanted model;
    model.reference = *parsed;
    auto details = services_.store->show(*parsed);
    if (details) {
        model.id = details->file.id;
        model.file = details->file;
        if (auto chosen = choose_place(model, *details, {}); !chosen) {
            return chosen;
        }
    } else if (parsed->kind == models::reference_kind::hub && details.error() == models::errc::not_here) {
        model.id = parsed->id();
    } else {
        return fail(errc::model, details.error().message);
    }
    const auto same = [&model](const wanted& other) { return other.id == model.id; };
    if (std::any_of(wanted_.begin(), wanted_.end(), same)) {
        return fail(errc::model, "Two of the models are called '" + model.id + "'; clients could not tell them apart.");
    }
    services_.table->announce(model.id, parsed->text(),
                              settings_.standby ? route::model_state::standby : route::model_state::loading);
    wanted_.push_back(std::move(model));
    return {};
}

/// Here or over several nodes, as soon as its file is known.
result<void> model_loader::choose_place(wanted& model, const models::model_details& details, memory_in_use others) {
    const auto fits = check_memory(model, details, others);
    model.needs_bytes = details.memory.total_bytes();
    if (!fits && !may_split()) {
        return fail(errc::model, fits.error().message);
    }
    model.is_split = may_split() && (!fits || settings_.split == settings::split_mode::exactly);
    has_split_ = has_split_ || model.is_split;
    if (!fits) {
        services_.log->info("{}; looking for other nodes to share it with", fits.error().message);
    }
    return {};
}

result<void> model_loader::check_memory(const wanted& model, const models::model_details& details,
                                        memory_in_use others) const {
    const std::uint64_t memory = memory_for_models(settings_, others);
    if (memory == 0) {
        return {};
    }
    models::memory_estimate needed = details.memory;
    if (draft_fit_ && model.when == named::at_start) {
        needed.weights_bytes += draft_fit_->weights_bytes;
        needed.kv_bytes += draft_fit_->kv_bytes;
        needed.work_bytes += draft_fit_->work_bytes;
    }
    return models::check_fit(needed, memory, details.file.id);
}

bool model_loader::may_split() const {
    return services_.serve_split && settings_.split != settings::split_mode::never &&
           !(settings_.split == settings::split_mode::exactly && settings_.split_stages == 1);
}

void model_loader::start() {
    if (wanted_.empty() || settings_.standby) {
        has_settled_ = true;
        if (services_.on_settled) {
            asio::post(services_.network, services_.on_settled);
        }
        return;
    }
    for (const wanted& model : wanted_) {
        begin(model);
    }
}

void model_loader::load_standby(std::string_view id) {
    const wanted* model = find(id);
    if (model == nullptr || stopping_ || state_of(id) != route::model_state::standby) {
        return;
    }
    services_.log->info("{} is wanted by the mesh, and nobody serves it; loading it", model->id);
    services_.table->announce(model->id, model->reference.text());
    begin(*model);
}

void model_loader::begin(wanted model) {
    ++running_;
    auto under_way = std::make_shared<load_under_way>();
    under_way_[model.id] = under_way;
    asio::co_spawn(services_.network, bring_up(std::move(model), std::move(under_way)), asio::detached);
}

void model_loader::load_under_way::give_up() {
    given_up = true;
    for (asio::cancellation_signal& one : downloads) {
        one.emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<void> model_loader::stop() {
    stopping_ = true;
    const auto all = under_way_;  // finish() takes them out
    for (const auto& [id, one] : all) {
        one->give_up();
    }
    while (running_ > undecided_) {
        boost::system::error_code woken;
        co_await settled_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

asio::awaitable<void> model_loader::bring_up(wanted model, shared_load under_way) {
    const std::string id = model.id;
    result<loaded> outcome = fail(errc::internal, {});
    try {
        auto fetching = fetch(std::move(model), under_way);
        auto fetched = co_await std::move(fetching);
        if (fetched) {
            remember(*fetched);
        }
        if (fetched && fetched->is_split && !under_way->given_up) {
            under_way_.erase(id);
            share(std::move(*fetched));
            co_return;
        }
        if (fetched) {
            auto loading = load(std::move(*fetched), under_way);
            outcome = co_await std::move(loading);
        } else {
            outcome = fetched.error();
        }
    } catch (const std::exception& thrown) {
        // A cancelled wait, or memory that ran out while loading: this model's failure, and nobody else's.
        outcome =
            fail(under_way->given_up ? errc::stopped : errc::internal, id + " could not be loaded: " + thrown.what());
    }
    finish(id, under_way->given_up, std::move(outcome));
}

/// Until its file is here, and that of the draft.
asio::awaitable<result<model_loader::wanted>> model_loader::fetch(wanted model, shared_load under_way) {
    if (!model.file) {
        auto fetched = co_await fetch_file(model.id, model.reference, under_way);
        if (!fetched && fetched.error() == models::errc::too_large && may_split()) {
            co_return error{
                fetched.error().code,
                fetched.error().message + "; with --split N it is fetched to be shared with other machines"};
        }
        if (!fetched) {
            co_return fetched.error();
        }
        model.file = std::move(*fetched);
        if (services_.on_files) {
            services_.on_files();
        }
        auto looking = look_up(model.reference);
        const auto details = co_await aio::run_on(exit_.executor(), std::move(looking));
        if (!details) {
            co_return details.error();
        }
        if (auto chosen = choose_place(model, *details, used_by_others(model.id)); !chosen) {
            co_return chosen.error();
        }
    }
    // A draft is for the models that were named with it: another one has other words.
    if (model.when == named::at_start) {
        auto draft = co_await fetch_draft(model.id, under_way);
        if (!draft) {
            co_return draft.error();
        }
        model.draft = std::move(*draft);
    }
    co_return model;
}

/// Counts as settled as soon as it is known who serves it, or that nobody can yet: other nodes may come hours later.
void model_loader::share(wanted model) {
    ++undecided_;
    report(model.id, model_phase::loading, 0.0F);
    split_observer observer = observe_split(model.id, model.file->path.string());
    observer.on_decided = [this] {
        --undecided_;
        settle();
    };
    services_.serve_split({.id = model.id, .path = model.file->path, .draft = model.draft.string()},
                          std::move(observer));
}

split_observer model_loader::observe_heir(const std::string& id, const std::filesystem::path& path) {
    return observe_split(id, path.string());
}

split_observer model_loader::observe_split(std::string id, std::string source) {
    split_.insert(id);
    split_observer out;
    out.on_ready = [this, id, source](std::shared_ptr<engine::generator> generator, const std::string& content) {
        services_.table->announce(id, source);  // also one that was not named here
        services_.table->set_ready(id, std::move(generator), content);
        ++ready_;
        report(id, model_phase::ready, 1.0F);
    };
    out.on_down = [this, id](const error& why) {
        if (stopping_) {
            return;
        }
        services_.table->set_waiting(id, why);
        last_failure_ = why.message;
        report(id, model_phase::failed, 0.0F, why.message);
    };
    out.on_progress = [this, id](float fraction) {
        services_.table->set_progress(id, fraction);
        report(id, model_phase::loading, fraction);
    };
    return out;
}

asio::awaitable<result<model_loader::loaded>> model_loader::load(wanted model, shared_load under_way) {
    if (under_way->given_up) {
        co_return fail(errc::stopped, "The load was given up.");
    }
    report(model.id, model_phase::loading, 0.0F);
    asio::thread_pool thread(1);
    auto loading = load_on_thread(model.id, *model.file, std::move(model.draft), std::move(under_way));
    co_return co_await aio::run_on(thread.get_executor(), std::move(loading));
}

/// Nothing when there is none. Models that are loaded together may ask for the same one; the store fetches it once.
asio::awaitable<result<std::filesystem::path>> model_loader::fetch_draft(std::string for_model, shared_load under_way) {
    if (!draft_) {
        co_return std::filesystem::path{};
    }
    auto found = services_.store->find(*draft_);
    if (!found) {
        found = co_await fetch_file(std::move(for_model), *draft_, std::move(under_way));
    }
    if (!found) {
        co_return found.error();
    }
    co_return found->path;
}

asio::awaitable<result<models::local_model>> model_loader::fetch_file(std::string for_model, models::reference which,
                                                                      shared_load under_way) {
    if (under_way->given_up) {
        co_return fail(errc::stopped, "The load was given up.");
    }
    services_.log->info("{} is not on this machine; fetching {}", which.id(), which.text());
    report(for_model, model_phase::fetching, 0.0F);
    models::on_pull_progress progress = [this, id = for_model](const models::pull_progress& p) {
        const double total = p.total_bytes > 0 ? static_cast<double>(p.total_bytes) : 1.0;
        const double share = p.total_bytes > 0 ? static_cast<double>(p.bytes) / total : 0.0;
        post_progress(id, model_phase::fetching, static_cast<float>(share));
    };
    const auto cancel = under_way->downloads.emplace(under_way->downloads.end());
    auto pulling = services_.store->pull(which, std::move(progress));
    co_return co_await asio::co_spawn(services_.network, std::move(pulling),
                                      asio::bind_cancellation_slot(cancel->slot(), asio::use_awaitable));
}

result<model_loader::loaded> model_loader::load_blocking(const std::string& id, const models::local_model& file,
                                                         const std::filesystem::path& draft,
                                                         const load_under_way& under_way) {
    auto progress = [this, id, &under_way](float fraction) {
        post_progress(id, model_phase::loading, fraction);
        return !under_way.given_up.load();
    };
    auto log = [log = services_.log](llama::log_level level, const std::string& text) {
        log->log(level_of(level), text);
    };
    auto engine = llama::load_engine(engine_options(settings_, id, file, draft), progress, log);
    if (!engine) {
        return engine.error();
    }
    auto content = models::content_id(file.path);
    if (!content) {
        return content.error();
    }
    return loaded{.generator = std::move(*engine), .content = std::move(*content)};
}

asio::awaitable<result<model_loader::loaded>> model_loader::load_on_thread(std::string id, models::local_model file,
                                                                           std::filesystem::path draft,
                                                                           shared_load under_way) {
    co_return load_blocking(id, file, draft, *under_way);
}

void model_loader::finish(const std::string& id, bool given_up, result<loaded> outcome) {
    under_way_.erase(id);
    if (given_up && !stopping_) {
        services_.log->info("{} was given up while it was loaded", id);
        if (outcome) {
            static_cast<void>(exit_.guard(std::move(outcome->generator)));  // it was ready just then; ends elsewhere
        }
        put_away(id);
        report(id, model_phase::failed, 0.0F, "The load was given up.");
    } else if (outcome) {
        const engine::model_info info = outcome->generator->info();
        services_.log->info("{} is ready: {} layers, {} tokens of context, from {}", id, info.layers,
                            info.context_length, info.source);
        services_.table->set_ready(id, exit_.guard(std::move(outcome->generator)), std::move(outcome->content));
        ++ready_;
        report(id, model_phase::ready, 1.0F);
    } else {
        if (!stopping_) {
            services_.log->error("{}: {}", id, outcome.error().message);
        }
        last_failure_ = outcome.error().message;
        services_.table->set_failed(id, outcome.error());
        report(id, model_phase::failed, 0.0F, last_failure_);
    }
    settle();
}

void model_loader::settle() {
    --running_;
    if (stopping_) {
        settled_.cancel();
    } else if (running_ == 0 && !std::exchange(has_settled_, true) && services_.on_settled) {
        services_.on_settled();
    }
}

void model_loader::report(const std::string& id, model_phase phase, float progress, std::string message) {
    if (services_.on_model) {
        services_.on_model({.id = id, .phase = phase, .progress = progress, .message = std::move(message)});
    }
}

void model_loader::post_progress(const std::string& id, model_phase phase, float progress) {
    // The node's executor stops before this object goes, so that nothing posted outlives it.
    asio::post(services_.network, [this, id, phase, progress] {
        services_.table->set_progress(id, progress);
        report(id, phase, progress);
    });
}

}  // namespace starling::node
