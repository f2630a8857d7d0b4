// What people want of the models while the node runs.
#include "aio/run_on.hpp"
#include "models/errc.hpp"
#include "node/model_loader.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;
using api::shelf_answer;
using route::model_state;

namespace {

error refuse(std::string why) {
    return fail(engine::errc::invalid_request, std::move(why));
}

/// A file that cannot be loaded, as the API says it.
error for_api(const error& why) {
    const bool is_missing = why == models::errc::not_found || why == models::errc::not_here;
    return fail(is_missing ? engine::errc::unknown_model : engine::errc::invalid_request, why.message);
}

bool is_served(std::optional<model_state> state) {
    return state && *state != model_state::standby && *state != model_state::failed;
}

}  // namespace

std::optional<model_state> model_loader::state_of(std::string_view id) const {
    for (const route::model_status& one : services_.table->snapshot(std::chrono::steady_clock::now())) {
        if (one.id == id) {
            return one.state;
        }
    }
    return std::nullopt;
}

model_loader::wanted* model_loader::find(std::string_view id) {
    const auto found = std::find_if(wanted_.begin(), wanted_.end(), [&](const wanted& one) { return one.id == id; });
    return found == wanted_.end() ? nullptr : &*found;
}

void model_loader::remember(const wanted& model) {
    if (wanted* known = find(model.id)) {
        *known = model;
    } else {
        wanted_.push_back(model);
    }
}

bool model_loader::is_told(std::string_view id) const {
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const wanted& one) { return one.id == id; });
}

std::vector<model_loader::told_model> model_loader::told() const {
    std::vector<told_model> out;
    for (const wanted& one : wanted_) {
        out.push_back({.id = one.id, .reference = one.reference});
    }
    return out;
}

memory_in_use model_loader::used_by_others(const std::string& id) const {
    memory_in_use out;
    for (const wanted& one : wanted_) {
        const auto state = one.id == id || one.is_split ? std::nullopt : state_of(one.id);
        out.loaded_bytes += state == model_state::ready ? one.needs_bytes : 0;
        out.loading_bytes += state == model_state::loading ? one.needs_bytes : 0;
    }
    return out;
}

asio::awaitable<result<models::model_details>> model_loader::look_up(models::reference which) {
    co_return services_.store->show(which);
}

asio::awaitable<result<shelf_answer>> model_loader::load(std::string reference) {
    wanted model;
    model.when = named::later;
    if (auto served = find_served(reference); !served || *served) {
        co_return served ? result<shelf_answer>(**served) : served.error();
    }
    if (const wanted* known = find(reference)) {
        model = *known;
    } else {
        auto parsed = models::parse_reference(reference);
        if (!parsed) {
            co_return for_api(parsed.error());
        }
        model.reference = std::move(*parsed);
    }
    auto looking = look_up(model.reference);
    const auto details = co_await aio::run_on(exit_.executor(), std::move(looking));
    if (details) {
        model.id = details->file.id;
        model.file = details->file;
    } else if (model.reference.kind == models::reference_kind::hub && details.error() == models::errc::not_here) {
        model.id = model.reference.id();
        model.file.reset();
    } else {
        co_return for_api(details.error());
    }
    const auto conflict = find_conflict(model);
    if (!conflict) {
        co_return conflict.error();
    }
    if (*conflict) {
        co_return **conflict;
    }
    if (details) {
        if (const auto chosen = choose_place(model, *details, used_by_others(model.id)); !chosen) {
            co_return refuse(chosen.error().message);
        }
    }
    const std::string id = model.id;
    if (const auto begun = begin_wish(std::move(model)); !begun) {
        co_return begun.error();
    }
    co_return shelf_answer{.id = id, .state = route::to_string(model_state::loading)};
}

/// An answer where it is served or on its way already; an error where something else has its name.
result<std::optional<shelf_answer>> model_loader::find_conflict(const wanted& model) const {
    const auto state = state_of(model.id);
    if (!state) {
        return std::optional<shelf_answer>();
    }
    const auto known =
        std::find_if(wanted_.begin(), wanted_.end(), [&](const wanted& one) { return one.id == model.id; });
    const bool is_same =
        known != wanted_.end() &&
        (known->reference.text() == model.reference.text() ||
         (known->file && model.file && known->file->path.lexically_normal() == model.file->path.lexically_normal()));
    if (!is_same) {
        return refuse(
            fmt::format("This node has another model that is called '{}'; clients could not tell them apart. "
                        "Give one of the files another name.",
                        model.id));
    }
    return find_served(model.id);
}

result<std::optional<shelf_answer>> model_loader::find_served(const std::string& id) const {
    const auto state = state_of(id);
    if (!is_served(state)) {
        return std::optional<shelf_answer>();
    }
    if (is_given_up(id)) {
        return fail(engine::errc::unavailable,
                    fmt::format("'{}' is just being given up; load it again in a moment.", id));
    }
    return std::optional(shelf_answer{.id = id, .state = route::to_string(*state)});
}

bool model_loader::is_given_up(std::string_view id) const {
    const auto found = under_way_.find(id);
    return found != under_way_.end() && found->second->given_up;
}

result<void> model_loader::begin_wish(wanted model) {
    if (stopping_) {
        return fail(engine::errc::unavailable, "The node is stopping.");
    }
    const auto all = services_.table->snapshot(std::chrono::steady_clock::now());
    const auto loading =
        std::count_if(all.begin(), all.end(), [](const auto& one) { return one.state == model_state::loading; });
    if (static_cast<std::size_t>(loading) >= max_loads) {
        return fail(engine::errc::queue_full,
                    fmt::format("{} models are being loaded already; wait until one is ready.", loading));
    }
    services_.log->info("{} is to be loaded, from {}", model.id, model.reference.text());
    services_.table->announce(model.id, model.reference.text());
    remember(model);
    begin(std::move(model));
    return {};
}

bool model_loader::may_unload(std::string_view id) const {
    const auto state = state_of(id);
    return is_told(id) && !split_.contains(id) &&
           (state == model_state::ready || (under_way_.contains(id) && !is_given_up(id)));
}

result<shelf_answer> model_loader::unload(const std::string& id) {
    const auto state = state_of(id);
    if (!state || state == model_state::standby || state == model_state::failed) {
        return refuse(fmt::format("'{}' is not loaded on this node, so there is nothing to unload.", id));
    }
    if (split_.contains(id)) {
        return refuse(
            fmt::format("'{}' is cut over several machines and cannot be unloaded alone; stop the node that "
                        "coordinates it, or start it without that model.",
                        id));
    }
    if (find(id) == nullptr) {
        return refuse(fmt::format("'{}' is answered by another server, so there is nothing to unload here.", id));
    }
    if (const auto found = under_way_.find(id); found != under_way_.end()) {
        const shared_load loading = found->second;
        loading->give_up();  // finish() puts it away, a moment later
        return shelf_answer{.id = id, .state = state_when_away(*find(id))};
    }
    if (state != model_state::ready) {
        return refuse(fmt::format("'{}' cannot be unloaded while it is {}.", id, route::to_string(*state)));
    }
    services_.log->info("{} is unloaded; answers under way finish", id);
    return shelf_answer{.id = id, .state = put_away(id)};
}

/// What was named at start is this node's to serve: it comes back when somebody wants it.
std::string model_loader::state_when_away(const wanted& model) {
    return model.when == named::at_start ? std::string(route::to_string(model_state::standby)) : "on_disk";
}

std::string model_loader::put_away(const std::string& id) {
    const wanted& model = *find(id);
    if (model.when == named::at_start) {
        services_.table->announce(id, model.reference.text(), model_state::standby);
    } else {
        services_.table->remove(id);
    }
    if (services_.on_unloaded) {
        services_.on_unloaded(id);
    }
    return state_when_away(model);
}

}  // namespace starling::node
