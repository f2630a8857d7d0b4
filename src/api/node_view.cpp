#include "api/node_view.hpp"

#include "api/mesh_view.hpp"
#include "api/model_rows.hpp"
#include "api/process_memory.hpp"
#include "engine/load_sum.hpp"
#include "openai/answer.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace starling::api {

namespace json = boost::json;
using route::model_state;
using route::model_status;
using std::chrono::steady_clock;

namespace {

/// Two decimals: these are measurements, not keys.
double rounded(double value) {
    return std::round(value * 100.0) / 100.0;
}

route::health assess(const node_facts& facts, const engine::engine_load& load) {
    return route::assess(facts.machine_load ? facts.machine_load() : route::machine_load{}, load.queued,
                         load.queue_limit);
}

json::object health_json(const route::health& health) {
    return {{"score", rounded(health.score)},
            {"state", route::to_string(health.state)},
            {"cpu", rounded(health.cpu_percent)},
            {"memory", rounded(health.memory_percent)},
            {"queue", rounded(health.queue_availability_percent)}};
}

json::object model_json(const model_status& model) {
    json::object out{{"id", model.id},
                     {"state", route::to_string(model.state)},
                     {"source", model.source},
                     {"progress", rounded(static_cast<double>(model.progress))},
                     {"requests", model.requests},
                     {"request_rate_per_min", rounded(model.request_rate_per_min)},
                     {"last_active_s", nullptr}};
    if (model.last_active_s) {
        out["last_active_s"] = rounded(*model.last_active_s);
    }
    if (!model.failure.empty()) {
        out["failure"] = model.failure;
    }
    return out;
}

json::object peer_json(const peer_facts& peer) {
    json::array models;
    for (const std::string& model : peer.models) {
        models.push_back(json::value(model));
    }
    return {{"node_id", peer.node_id},
            {"name", peer.name},
            {"role", peer.role},
            {"state", peer.state},
            {"rtt_ms", peer.rtt_ms ? json::value(rounded(*peer.rtt_ms)) : json::value(nullptr)},
            {"path", peer.path},
            {"health", peer.health ? json::value(health_json(*peer.health)) : json::value(nullptr)},
            {"models", std::move(models)},
            {"version", peer.version}};
}

json::object routing_json(const routing_facts& routing) {
    json::array recent;
    for (const routing_decision& one : routing.recent) {
        json::object decision{
            {"request_id", one.request_id}, {"model", one.model}, {"node_id", one.node_id}, {"reason", one.reason}};
        if (!one.cause.empty()) {
            decision["cause"] = one.cause;
        }
        if (one.resumed_at >= 0) {
            decision["resumed_at"] = one.resumed_at;
        }
        recent.push_back(std::move(decision));
    }
    return {{"here", routing.here},       {"to_peers", routing.to_peers}, {"moved_on", routing.moved_on},
            {"resumed", routing.resumed}, {"lost", routing.lost},         {"recent", std::move(recent)}};
}

json::array demand_json(const std::vector<route::model_demand>& demand) {
    json::array out;
    for (const route::model_demand& one : demand) {
        out.push_back(json::object{{"model", one.model},
                                   {"requests", one.requests},
                                   {"request_rate_per_min", rounded(one.rate_per_min)},
                                   {"last_active_s", rounded(one.last_active_s)}});
    }
    return out;
}

std::size_t alive(const std::vector<peer_facts>& peers) {
    return static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [](const peer_facts& one) {
        return one.state == "alive" || one.state == "suspect";
    }));
}

openai::listed_model listed(const model_status& model, std::int64_t created_s) {
    return {model.id, created_s, model.generator ? model.generator->info() : engine::model_info{}};
}

/// A node that runs a model alone is a pipeline of one stage.
json::object deployment_json(const model_status& model, const std::string& node_id, const std::string& name) {
    const auto info = model.generator->info();
    const auto load = model.generator->load();
    json::object stage{{"node_id", node_id},      {"name", name},
                       {"first_layer", nullptr},  {"last_layer", nullptr},
                       {"memory_bytes", nullptr}, {"ms_per_token", nullptr},
                       {"state", "ready"}};
    if (info.size_bytes > 0) {
        stage["memory_bytes"] = info.size_bytes;
    }
    if (info.layers > 0) {
        stage["first_layer"] = 0;
        stage["last_layer"] = info.layers - 1;
    }
    if (load.tokens_per_s > 0.0) {
        stage["ms_per_token"] = rounded(1000.0 / load.tokens_per_s * std::max(load.busy, 1));
    }
    const bool is_here = info.layers > 0;
    return {{"model", model.id},
            {"coordinator", node_id},
            {"epoch", 1},
            {"state", "serving"},
            {"stages", json::array{std::move(stage)}},
            {"reason", is_here ? "the whole model fits this node" : fmt::format("answered by {}", info.source)}};
}

json::object deployment_json(const deployment_facts& from) {
    json::array stages;
    for (const stage_facts& one : from.stages) {
        json::object stage{{"node_id", one.node_id},
                           {"name", one.name},
                           {"first_layer", one.first_layer},
                           {"last_layer", one.last_layer},
                           {"memory_bytes", nullptr},
                           {"ms_per_token", nullptr},
                           {"state", one.state}};
        if (one.memory_bytes > 0) {
            stage["memory_bytes"] = one.memory_bytes;
        }
        if (one.ms_per_token > 0.0) {
            stage["ms_per_token"] = rounded(one.ms_per_token);
        }
        stages.push_back(std::move(stage));
    }
    return {{"model", from.model}, {"coordinator", from.coordinator}, {"epoch", from.epoch},
            {"state", from.state}, {"stages", std::move(stages)},     {"reason", from.reason}};
}

}  // namespace

node_view::node_view(const node_facts& facts, route::model_table& models, metrics& metrics)
    : facts_(facts),
      models_(models),
      metrics_(metrics),
      started_(steady_clock::now()),
      started_unix_s_(
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()) {}

void node_view::health(call& call) const {
    const auto all = models_.snapshot(steady_clock::now());
    const auto any = [&](model_state state) {
        return std::any_of(all.begin(), all.end(), [&](const model_status& model) { return model.state == state; });
    };
    bool elsewhere = false;
    for (const mesh_model& model : facts_.mesh != nullptr ? facts_.mesh->models() : std::vector<mesh_model>()) {
        elsewhere = elsewhere || model.state == model_state::ready;
    }
    json::array models;
    for (const auto& model : all) {
        models.push_back(json::object{{"id", model.id},
                                      {"state", route::to_string(model.state)},
                                      {"progress", rounded(static_cast<double>(model.progress))}});
    }
    const bool ready = all.empty() || any(model_state::ready) || any(model_state::standby) || elsewhere;
    const char* status = all.empty() && !elsewhere   ? "idle"
                         : ready                     ? "ready"
                         : any(model_state::loading) ? "loading"
                         : any(model_state::waiting) ? "waiting"
                                                     : "failed";
    if (!ready) {
        call.headers.emplace_back("retry-after", "2");
    }
    call.send(ready ? 200 : 503, "application/json",
              json::serialize(json::object{{"status", status}, {"models", std::move(models)}}));
}

std::vector<openai::listed_model> node_view::served() const {
    std::vector<openai::listed_model> list;
    for (const auto& model : models_.snapshot(steady_clock::now())) {
        if (model.state != model_state::failed) {
            list.push_back(listed(model, started_unix_s_));
        }
    }
    if (facts_.mesh == nullptr) {
        return list;
    }
    for (mesh_model& model : facts_.mesh->models()) {
        const auto same = [&](const openai::listed_model& one) { return one.id == model.info.id; };
        if (std::none_of(list.begin(), list.end(), same)) {
            list.push_back({model.info.id, started_unix_s_, std::move(model.info)});
        }
    }
    return list;
}

void node_view::models(call& call) const {
    call.send_json(openai::model_list_answer(served()));
}

void node_view::model(call& call, std::string_view id) const {
    for (const openai::listed_model& model : served()) {
        if (model.id == id) {
            call.send_json(openai::model_answer(model));
            return;
        }
    }
    call.send_error(
        fail(engine::errc::unknown_model,
             fmt::format("The model '{}' does not exist here. GET /v1/models lists those that do.", id.substr(0, 128))),
        "model");
}

void node_view::metrics_text(call& call, std::size_t connections) const {
    scrape_facts scrape;
    scrape.version = facts_.version;
    scrape.node_id = facts_.node_id;
    scrape.uptime_s = std::chrono::duration<double>(steady_clock::now() - started_).count();
    scrape.connections = connections;
    scrape.resident_bytes = resident_memory();
    scrape.models = models_.snapshot(steady_clock::now());
    if (facts_.mesh != nullptr) {
        scrape.routing = facts_.mesh->routing();
        scrape.traffic = facts_.mesh->traffic();
        for (const peer_facts& peer : facts_.mesh->peers()) {
            ++scrape.peers[peer.state];
        }
    }
    call.send(200, "text/plain; version=0.0.4; charset=utf-8", metrics_.render(scrape));
}

void node_view::status(call& call) const {
    call.send_json(json::serialize(status_json()));
}

json::object node_view::status_json() const {
    const auto all = models_.snapshot(steady_clock::now());
    const auto load = engine::total_load(all);
    json::array models;
    for (const auto& model : all) {
        models.push_back(model_json(model));
    }
    json::object out{{"node_id", facts_.node_id},
                     {"name", facts_.name},
                     {"version", facts_.version},
                     {"mesh_id", nullptr},
                     {"role", facts_.role},
                     {"health", health_json(assess(facts_, load))},
                     {"models", std::move(models)},
                     {"engine", json::object{{"slots", load.slots},
                                             {"busy", load.busy},
                                             {"queued", load.queued},
                                             {"tokens_per_s", rounded(load.tokens_per_s)}}},
                     {"uptime_s", rounded(std::chrono::duration<double>(steady_clock::now() - started_).count())}};
    if (facts_.mesh != nullptr && !facts_.mesh->id().empty()) {
        const auto peers = facts_.mesh->peers();
        out["mesh_id"] = facts_.mesh->id();
        if (auto why = facts_.mesh->removed(); !why.empty()) {
            out["removed"] = std::move(why);
        }
        out["peers"] = json::object{{"alive", alive(peers)}, {"known", peers.size()}};
        out["routing"] = routing_json(facts_.mesh->routing());
        out["demand"] = demand_json(facts_.mesh->demand());
    }
    return out;
}

void node_view::peers(call& call) const {
    call.send_json(json::serialize(peers_json()));
}

json::array node_view::peers_json() const {
    json::array out;
    for (const peer_facts& peer : all_peers()) {
        out.push_back(peer_json(peer));
    }
    return out;
}

std::vector<peer_facts> node_view::all_peers() const {
    const auto all = models_.snapshot(steady_clock::now());
    peer_facts self;
    self.node_id = facts_.node_id;
    self.name = facts_.name;
    self.role = facts_.role;
    self.state = "alive";
    self.rtt_ms = 0.0;
    self.path = "local";
    self.health = assess(facts_, engine::total_load(all));
    self.version = facts_.version;
    for (const auto& model : all) {
        if (model.state == model_state::ready) {
            self.models.push_back(model.id);
        }
    }
    std::vector<peer_facts> out{std::move(self)};
    for (peer_facts& peer : facts_.mesh != nullptr ? facts_.mesh->peers() : std::vector<peer_facts>()) {
        out.push_back(std::move(peer));
    }
    return out;
}

void node_view::deployments(call& call) const {
    call.send_json(json::serialize(deployments_json()));
}

json::array node_view::models_json() const {
    return model_rows(models_, facts_.mesh, facts_.shelf);
}

json::array node_view::deployments_json() const {
    json::array all;
    const auto split = facts_.mesh != nullptr ? facts_.mesh->deployments() : std::vector<deployment_facts>();
    for (const deployment_facts& one : split) {
        all.push_back(deployment_json(one));
    }
    for (const auto& model : models_.snapshot(steady_clock::now())) {
        const bool is_split = std::any_of(split.begin(), split.end(), [&](const deployment_facts& one) {
            return one.model == model.id && one.coordinator == facts_.node_id;
        });
        if (model.state == model_state::ready && model.generator && !is_split) {
            all.push_back(deployment_json(model, facts_.node_id, facts_.name));
        }
    }
    return all;
}

}  // namespace starling::api
