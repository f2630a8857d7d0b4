#include "peers/node_status.hpp"

#include "wire/errc.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace starling::peers {

namespace json = boost::json;

namespace {

using wire::count_member;
using wire::number_member;
using wire::string_member;

constexpr double worth_telling = 5.0;         // points of the score
constexpr double memory_worth_telling = 0.1;  // of what is lent; whoever plans a split leaves a margin
constexpr std::size_t max_id_bytes = 512;     // of a model; longer names nobody can type

constexpr std::array<std::pair<readiness, const char*>, 3> readiness_names{
    {{readiness::ready, "ready"}, {readiness::loading, "loading"}, {readiness::standby, "standby"}}};

double rounded(double value) {
    return std::round(value * 100.0) / 100.0;
}

std::uint64_t large_member(const json::value& of, std::string_view name) {
    constexpr double exact_in_json = 9007199254740992.0;  // 2^53
    return static_cast<std::uint64_t>(std::clamp(number_member(of, name).value_or(0.0), 0.0, exact_in_json));
}

/// Something measured: never negative, never infinite.
double amount_member(const json::value& of, std::string_view name) {
    constexpr double most = 1e12;
    return std::clamp(number_member(of, name).value_or(0.0), 0.0, most);
}

json::object model_json(const told_model& from) {
    return {{"id", from.info.id},
            {"content", from.content},
            {"state", to_string(from.state)},
            {"architecture", from.info.architecture},
            {"parameters", from.info.parameters},
            {"size_bytes", from.info.size_bytes},
            {"context_length", from.info.context_length},
            {"layers", from.info.layers},
            {"embedding_length", from.info.embedding_length},
            {"has_chat_template", from.info.has_chat_template},
            {"slots", from.load.slots},
            {"busy", from.load.busy},
            {"queued", from.load.queued},
            {"queue_limit", from.load.queue_limit},
            {"tokens_per_s", rounded(from.load.tokens_per_s)}};
}

told_model read_model(const json::value& from) {
    told_model out;
    out.info.id = string_member(from, "id").substr(0, max_id_bytes);
    out.info.architecture = string_member(from, "architecture").substr(0, max_id_bytes);
    out.info.parameters = large_member(from, "parameters");
    out.info.size_bytes = large_member(from, "size_bytes");
    out.info.context_length = count_member(from, "context_length");
    out.info.layers = count_member(from, "layers");
    out.info.embedding_length = count_member(from, "embedding_length");
    const auto* templated = wire::member(from, "has_chat_template");
    out.info.has_chat_template = templated != nullptr && templated->is_bool() && templated->get_bool();
    out.content = string_member(from, "content").substr(0, max_id_bytes);
    const auto state = string_member(from, "state");
    for (const auto& [value, name] : readiness_names) {
        if (state == name) {
            out.state = value;
        }
    }
    out.load.slots = std::max(0, count_member(from, "slots"));
    out.load.busy = std::max(0, count_member(from, "busy"));
    out.load.queued = std::max(0, count_member(from, "queued"));
    out.load.queue_limit = std::max(0, count_member(from, "queue_limit"));
    out.load.tokens_per_s = amount_member(from, "tokens_per_s");
    return out;
}

json::object offer_json(const node_offer& from) {
    json::array files;
    for (std::size_t i = 0; i < std::min(from.files.size(), max_told_files); ++i) {
        const told_file& one = from.files[i];
        files.push_back(json::object{{"content", one.content},
                                     {"first_layer", one.first_layer},
                                     {"end_layer", one.end_layer},
                                     {"layers", one.layers}});
    }
    json::array links;
    for (std::size_t i = 0; i < std::min(from.links.size(), max_told_links); ++i) {
        links.push_back(
            json::object{{"to", to_string(from.links[i].to)}, {"round_trip_ms", rounded(from.links[i].round_trip_ms)}});
    }
    json::array stages;
    for (std::size_t i = 0; i < std::min(from.stages.size(), max_told_stages); ++i) {
        const told_stage& one = from.stages[i];
        stages.push_back(json::object{{"content", one.content},
                                      {"first_layer", one.first_layer},
                                      {"end_layer", one.end_layer},
                                      {"memory_bytes", one.memory_bytes},
                                      {"ms_per_token", rounded(one.ms_per_token)},
                                      {"ready", one.ready}});
    }
    return {{"memory_bytes", from.memory_bytes},
            {"read_bytes_per_s", rounded(from.read_bytes_per_s)},
            {"files", std::move(files)},
            {"links", std::move(links)},
            {"stages", std::move(stages)}};
}

/// The state follows from the score, as for this node itself.
route::health read_health(const json::value& from) {
    const double queue = number_member(from, "queue").value_or(100.0);
    constexpr std::int64_t whole = 100;
    return route::assess({.cpu_percent = number_member(from, "cpu").value_or(0.0),
                          .memory_percent = number_member(from, "memory").value_or(0.0)},
                         whole - static_cast<std::int64_t>(std::clamp(queue, 0.0, 100.0)), whole);
}

template <class T, class Read>
std::vector<T> read_all(const json::value& from, std::string_view name, Read read) {
    std::vector<T> out;
    if (const auto* list = wire::array_member(from, name)) {
        for (const json::value& one : *list) {
            if (out.size() == max_told_models) {
                break;
            }
            out.push_back(read(one));
        }
    }
    return out;
}

node_offer read_offer(const json::value& from) {
    node_offer out;
    out.memory_bytes = large_member(from, "memory_bytes");
    constexpr double most_read = 1e15;
    out.read_bytes_per_s = std::clamp(number_member(from, "read_bytes_per_s").value_or(0.0), 0.0, most_read);
    out.files = read_all<told_file>(from, "files", [](const json::value& one) {
        return told_file{.content = std::string(string_member(one, "content").substr(0, max_id_bytes)),
                         .first_layer = count_member(one, "first_layer"),
                         .end_layer = count_member(one, "end_layer"),
                         .layers = count_member(one, "layers")};
    });
    std::erase_if(out.files, [](const told_file& one) {
        return one.content.empty() || one.first_layer < 0 || one.end_layer <= one.first_layer ||
               one.layers < one.end_layer;
    });
    for (const told_link& one : read_all<told_link>(from, "links", [](const json::value& link) {
             return told_link{.to = parse_node_id(string_member(link, "to")).value_or(node_id()),
                              .round_trip_ms = amount_member(link, "round_trip_ms")};
         })) {
        if (out.links.size() < max_told_links && one.to != node_id()) {
            out.links.push_back(one);
        }
    }
    out.stages = read_all<told_stage>(from, "stages", [](const json::value& one) {
        const auto* ready = wire::member(one, "ready");
        return told_stage{.content = std::string(string_member(one, "content").substr(0, max_id_bytes)),
                          .first_layer = count_member(one, "first_layer"),
                          .end_layer = count_member(one, "end_layer"),
                          .memory_bytes = large_member(one, "memory_bytes"),
                          .ms_per_token = amount_member(one, "ms_per_token"),
                          .ready = ready != nullptr && ready->is_bool() && ready->get_bool()};
    });
    out.stages.resize(std::min(out.stages.size(), max_told_stages));
    return out;
}

std::vector<deployment::told_claim> read_claims(const json::value& from) {
    std::vector<deployment::told_claim> out;
    if (const auto* list = wire::array_member(from, "claims")) {
        for (const json::value& one : *list) {
            auto claim = out.size() < max_told_claims ? deployment::parse_claim(one)
                                                      : result<deployment::told_claim>(fail(wire::errc::malformed, ""));
            if (claim) {
                out.push_back(std::move(*claim));
            }
        }
    }
    return out;
}

}  // namespace

const char* to_string(readiness of) {
    for (const auto& [value, name] : readiness_names) {
        if (value == of) {
            return name;
        }
    }
    return "loading";
}

std::string to_json(const node_status& from) {
    json::array models;
    for (std::size_t i = 0; i < std::min(from.models.size(), max_told_models); ++i) {
        models.push_back(model_json(from.models[i]));
    }
    json::array demand;
    for (std::size_t i = 0; i < std::min(from.demand.size(), max_told_models); ++i) {
        const route::model_demand& one = from.demand[i];
        demand.push_back(json::object{{"model", one.model},
                                      {"requests", one.requests},
                                      {"request_rate_per_min", rounded(one.rate_per_min)},
                                      {"last_active_s", rounded(one.last_active_s)}});
    }
    json::array claims;
    for (std::size_t i = 0; i < std::min(from.claims.size(), max_told_claims); ++i) {
        claims.push_back(deployment::to_json(from.claims[i]));
    }
    return json::serialize(
        json::object{{"type", "status_response"},
                     {"health", json::object{{"score", rounded(from.health.score)},
                                             {"state", route::to_string(from.health.state)},
                                             {"cpu", rounded(from.health.cpu_percent)},
                                             {"memory", rounded(from.health.memory_percent)},
                                             {"queue", rounded(from.health.queue_availability_percent)}}},
                     {"offer", offer_json(from.offer)},
                     {"claims", std::move(claims)},
                     {"models", std::move(models)},
                     {"demand", std::move(demand)}});
}

result<node_status> parse_status(std::string_view text) {
    const json::value from = wire::parse_or_null(text);
    if (!from.is_object() || string_member(from, "type") != "status_response") {
        return fail(wire::errc::malformed, "What a node says of its health and models is damaged.");
    }
    node_status out;
    if (const auto* health = wire::member(from, "health")) {
        out.health = read_health(*health);
    }
    if (const auto* offer = wire::member(from, "offer")) {
        out.offer = read_offer(*offer);
    }
    out.claims = read_claims(from);
    out.models = read_all<told_model>(from, "models", read_model);
    std::erase_if(out.models, [](const told_model& one) { return one.info.id.empty(); });
    out.demand = read_all<route::model_demand>(from, "demand", [](const json::value& one) {
        return route::model_demand{.model = std::string(string_member(one, "model").substr(0, max_id_bytes)),
                                   .requests = large_member(one, "requests"),
                                   .rate_per_min = amount_member(one, "request_rate_per_min"),
                                   .last_active_s = amount_member(one, "last_active_s")};
    });
    return out;
}

bool differs(const node_status& told, const node_status& now) {
    const auto same_model = [](const told_model& a, const told_model& b) {
        return a.info.id == b.info.id && a.content == b.content && a.state == b.state && a.load.slots == b.load.slots &&
               a.load.busy == b.load.busy && a.load.queued == b.load.queued;
    };
    const auto same_stage = [](const told_stage& a, const told_stage& b) {
        return a.content == b.content && a.first_layer == b.first_layer && a.end_layer == b.end_layer &&
               a.memory_bytes == b.memory_bytes && a.ready == b.ready;
    };
    const auto known = [&](const route::model_demand& one) {
        return std::any_of(told.demand.begin(), told.demand.end(),
                           [&](const route::model_demand& other) { return other.model == one.model; });
    };
    const double memory_before = static_cast<double>(told.offer.memory_bytes);
    const double memory_now = static_cast<double>(now.offer.memory_bytes);
    return told.health.state != now.health.state || told.offer.files != now.offer.files || told.claims != now.claims ||
           !std::equal(told.offer.stages.begin(), told.offer.stages.end(), now.offer.stages.begin(),
                       now.offer.stages.end(), same_stage) ||
           std::abs(memory_before - memory_now) > memory_worth_telling * std::max(memory_before, memory_now) ||
           std::abs(told.health.score - now.health.score) >= worth_telling ||
           !std::equal(told.models.begin(), told.models.end(), now.models.begin(), now.models.end(), same_model) ||
           !std::all_of(now.demand.begin(), now.demand.end(), known);
}

}  // namespace starling::peers
