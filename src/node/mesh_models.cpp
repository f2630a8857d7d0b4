#include "node/mesh.hpp"

#include "engine/load_sum.hpp"
#include "route/standby_policy.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace starling::node {

using route::model_state;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t max_echoed_name = 128;  // a client's own words go back to it, but not a megabyte of them

peers::readiness readiness_of(model_state state) {
    switch (state) {
        case model_state::ready: return peers::readiness::ready;
        case model_state::standby: return peers::readiness::standby;
        default: return peers::readiness::loading;
    }
}

model_state state_of(peers::readiness readiness) {
    switch (readiness) {
        case peers::readiness::ready: return model_state::ready;
        case peers::readiness::standby: return model_state::standby;
        case peers::readiness::loading: break;
    }
    return model_state::loading;
}

const peers::told_model* find_model(const peers::peer_view& peer, std::string_view id) {
    for (const peers::told_model& one : peer.status->models) {
        if (one.info.id == id) {
            return &one;
        }
    }
    return nullptr;
}

/// How good a state is for somebody who asks: ready, then loading, then standby.
int rank_of(model_state state) {
    switch (state) {
        case model_state::ready: return 2;
        case model_state::loading: return 1;
        default: return 0;
    }
}

/// What "auto" means: what is ready here, else anywhere, else what is loaded when it is wanted. Empty when nothing is.
std::string automatic_model(const std::vector<route::model_status>& here,
                            const std::vector<api::mesh_model>& elsewhere) {
    const auto in_state = [&](model_state state) {
        return std::find_if(here.begin(), here.end(), [&](const auto& one) { return one.state == state; });
    };
    if (const auto ready = in_state(model_state::ready); ready != here.end()) {
        return ready->id;
    }
    for (const api::mesh_model& one : elsewhere) {
        if (one.state == model_state::ready) {
            return one.info.id;
        }
    }
    const auto standby = in_state(model_state::standby);
    return standby != here.end() && in_state(model_state::loading) == here.end() ? standby->id : std::string();
}

}  // namespace

route::health mesh::health() const {
    const auto load = engine::total_load(with_.table->snapshot(steady_clock::now()));
    return route::assess(with_.machine_load(), load.queued, load.queue_limit);
}

peers::node_status mesh::status() {
    const auto now = steady_clock::now();
    peers::node_status out;
    out.health = health();
    out.demand = demand_.snapshot(now);
    if (with_.role != admission::role::worker) {
        return out;
    }
    split_models_.tell(out);
    if (!with_.shares()) {
        return out;
    }
    for (route::model_status& one : with_.table->snapshot(now)) {
        if (one.state == model_state::failed || one.state == model_state::waiting) {
            continue;
        }
        peers::told_model told;
        if (one.generator) {
            told.info = one.generator->info();
            told.load = one.generator->load();
        }
        told.info.id = one.id;
        told.content = std::move(one.content);
        told.state = readiness_of(one.state);
        out.models.push_back(std::move(told));
    }
    return out;
}

void mesh::models_changed() {
    directory_.refresh();
    if (service_) {
        service_->status_changed();
    }
}

void mesh::model_unloaded(const std::string& id) {
    unloaded_at_.insert_or_assign(id, steady_clock::now());
    wanted_since_.erase(id);
    models_changed();
}

result<std::shared_ptr<engine::generator>> mesh::find_here(std::string_view model) {
    if (!with_.shares()) {
        return fail(engine::errc::unavailable, fmt::format("The node {} does not work for others at the moment: its "
                                                           "owner has switched sharing off.",
                                                           with_.settings->name));
    }
    if (health().state == route::health_state::overloaded) {
        return fail(engine::errc::overloaded, fmt::format("The node {} is overloaded.", with_.settings->name));
    }
    for (const route::model_status& one : with_.table->snapshot(steady_clock::now())) {
        if (one.id == model && one.state == model_state::standby) {
            with_.load_standby(model);
        }
    }
    auto chosen = with_.table->choose(model, steady_clock::now());
    if (!chosen) {
        return chosen.error();
    }
    service_->status_changed();
    return std::move(chosen->generator);
}

bool mesh::alone() const {
    if (!service_) {
        return true;
    }
    const auto all = service_->peers();
    return std::none_of(all.begin(), all.end(), [](const peers::peer_view& one) { return one.connection != nullptr; });
}

std::shared_ptr<engine::generator> mesh::front(const std::string& model, engine::model_info info) {
    if (const auto known = fronts_.find(model); known != fronts_.end()) {
        return known->second;
    }
    if (fronts_.size() >= route::max_wanted_models) {
        fronts_.clear();  // those in use live on with their requests
    }
    return fronts_.emplace(model, dispatcher_.generator(model, std::move(info))).first->second;
}

/// Who has just been started does not know yet what the others serve.
bool mesh::unsure() const {
    return alone() && (joining_ || (memory_ && !memory_->contacts.empty()));
}

result<route::choice> mesh::choose(std::string_view asked, route::steady_time now) {
    const auto here = with_.table->snapshot(now);
    const auto elsewhere = models();
    std::string model(asked);
    if (model.empty() || model == route::model_table::automatic) {
        model = automatic_model(here, elsewhere);
        if (model.empty()) {
            return with_.table->choose(asked, now);
        }
    }
    const auto own = std::find_if(here.begin(), here.end(), [&](const auto& one) { return one.id == model; });
    const auto shared =
        std::find_if(elsewhere.begin(), elsewhere.end(), [&](const auto& one) { return one.info.id == model; });
    const auto met = met_.find(model);
    if (own == here.end() && shared == elsewhere.end() && met == met_.end() && !unsure()) {
        auto why = with_.table->choose(model, now);
        if (elsewhere.empty() || why) {
            return why;
        }
        return fail(engine::errc::unknown_model,
                    fmt::format("No node of the mesh serves the model '{}'. GET /v1/models lists what they serve.",
                                model.substr(0, max_echoed_name)));
    }
    // Where it waits for machines, the others only wait with this node.
    const bool has_failed =
        own != here.end() && (own->state == model_state::failed || own->state == model_state::waiting);
    const bool somewhere = shared != elsewhere.end() && shared->state != model_state::standby &&
                           (shared->state == model_state::ready || !has_failed);
    const bool on_its_way = own != here.end() && own->state != model_state::ready && own->state != model_state::standby;
    if (on_its_way && !somewhere) {
        return with_.table->choose(model, now);  // loading, or why it failed
    }
    if (own != here.end()) {
        static_cast<void>(with_.table->choose(model, now));  // counts it
    }
    demand_.count(model, now);
    engine::model_info info;
    info.id = model;
    if (own != here.end() && own->generator) {
        info = own->generator->info();
    } else if (shared != elsewhere.end()) {
        info = shared->info;
    } else if (met != met_.end()) {
        info = met->second;
    }
    return route::choice{.generator = front(model, std::move(info)), .model_id = model, .reason = {}};
}

std::vector<api::mesh_model> mesh::models() const {
    std::map<std::string, api::mesh_model, std::less<>> by_id;
    for (const peers::peer_view& peer : directory_.serving()) {
        for (const peers::told_model& model : peer.status->models) {
            api::mesh_model& one = by_id[model.info.id];
            const model_state state = state_of(model.state);
            if (one.nodes == 0 || rank_of(state) > rank_of(one.state)) {
                one = {.info = model.info, .state = state, .nodes = 1};
            } else if (state == one.state) {
                ++one.nodes;
            }
        }
    }
    std::vector<api::mesh_model> out;
    for (auto& [id, one] : by_id) {
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<api::peer_facts> mesh::peers() const {
    std::vector<api::peer_facts> out;
    if (!service_) {
        return out;
    }
    for (const peers::peer_view& one : service_->peers()) {
        api::peer_facts facts;
        facts.node_id = to_string(one.id);
        facts.name = one.said.name;
        facts.role = admission::to_string(one.said.certificate.role);
        facts.state = one.revoked ? "left" : membership::to_string(one.state);
        facts.version = one.said.software;
        if (one.connection) {
            facts.rtt_ms = std::chrono::duration<double, std::milli>(one.connection->facts().round_trip).count();
        }
        if (one.status) {
            facts.health = one.status->health;
            for (const peers::told_model& model : one.status->models) {
                if (model.state == peers::readiness::ready) {
                    facts.models.push_back(model.info.id);
                }
            }
        }
        out.push_back(std::move(facts));
    }
    return out;
}

std::vector<route::model_demand> mesh::demand() const {
    std::map<std::string, route::model_demand, std::less<>> all;
    const auto add = [&](const std::vector<route::model_demand>& some) {
        for (const route::model_demand& one : some) {
            const auto [found, is_new] = all.try_emplace(one.model, one);
            if (!is_new) {
                found->second.requests += one.requests;
                found->second.rate_per_min += one.rate_per_min;
                found->second.last_active_s = std::min(found->second.last_active_s, one.last_active_s);
            }
        }
    };
    add(demand_.snapshot(steady_clock::now()));
    for (const peers::peer_view& one : service_ ? service_->peers() : std::vector<peers::peer_view>()) {
        if (one.status && one.connection) {
            add(one.status->demand);
        }
    }
    std::vector<route::model_demand> out;
    for (auto& [model, one] : all) {
        out.push_back(std::move(one));
    }
    return out;
}

api::routing_facts mesh::routing() const {
    const auto counted = dispatcher_.count();
    api::routing_facts out{.here = counted.routed_here,
                           .to_peers = counted.routed_to_peers,
                           .moved_on = counted.moved_on,
                           .resumed = counted.resumed,
                           .lost = counted.lost,
                           .recent = {}};
    for (const dispatch::decision& one : dispatcher_.recent()) {
        out.recent.push_back({.request_id = one.request_id,
                              .model = one.model,
                              .node_id = one.node,
                              .reason = one.reason,
                              .cause = one.cause,
                              .resumed_at = one.resumed_at});
    }
    return out;
}

/// Since the last request for it anywhere that counts.
std::optional<double> mesh::last_wanted_s(const std::string& model) const {
    const auto now = steady_clock::now();
    std::optional<double> unloaded_for_s;
    if (const auto unloaded = unloaded_at_.find(model); unloaded != unloaded_at_.end()) {
        unloaded_for_s = std::chrono::duration<double>(now - unloaded->second).count();
    }
    std::optional<double> out;
    const auto add = [&](const std::vector<route::model_demand>& some, route::demand_source by) {
        for (const route::model_demand& one : some) {
            const bool counts = one.model == model &&
                                (!unloaded_for_s || route::is_after_unload(one.last_active_s, *unloaded_for_s, by));
            if (counts) {
                out = std::min(out.value_or(one.last_active_s), one.last_active_s);
            }
        }
    };
    add(demand_.snapshot(now), route::demand_source::this_node);
    if (!with_.shares()) {
        return out;  // who does not share loads for its own clients alone
    }
    for (const peers::peer_view& one : service_ ? service_->peers() : std::vector<peers::peer_view>()) {
        if (one.status && one.connection) {
            add(one.status->demand, route::demand_source::another_node);
        }
    }
    return out;
}

void mesh::consider_standby() {
    const auto now = steady_clock::now();
    for (const route::model_status& one : with_.table->snapshot(now)) {
        if (one.state != model_state::standby) {
            continue;
        }
        route::standby_view view;
        for (const peers::peer_view& peer : directory_.serving()) {
            if (const auto* there = find_model(peer, one.id)) {
                view.served = view.served || there->state != peers::readiness::standby;
                view.rank += there->state == peers::readiness::standby && peer.id < with_.self.id() ? 1 : 0;
            }
        }
        view.last_wanted_s = last_wanted_s(one.id);
        if (view.served || !view.last_wanted_s) {
            wanted_since_.erase(one.id);
            continue;
        }
        view.waited = now - wanted_since_.try_emplace(one.id, now).first->second;
        if (route::should_load(view)) {
            with_.load_standby(one.id);
        }
    }
}

boost::asio::awaitable<void> mesh::until_met(std::chrono::milliseconds time) {
    const auto until = steady_clock::now() + time;
    while (directory_.serving().empty() && steady_clock::now() < until && !stopping_) {
        co_await directory_.changed().wait_until(until);
    }
}

}  // namespace starling::node
