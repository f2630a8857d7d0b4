#include "api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>

namespace starling::api {

namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries request_buckets{0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300};
const Histogram::BucketBoundaries first_token_buckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const Histogram::BucketBoundaries token_buckets{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};

// A counter that is absent until it counts hides its first event from rate() and increase(): these begin at zero.
constexpr std::array model_routes{"/v1/chat/completions", "/v1/completions", "/v1/embeddings"};
constexpr std::array usual_statuses{200, 400, 429, 500, 502, 503, 504};
constexpr std::array member_states{"alive", "suspect", "dead", "left"};  // as peer_facts has them

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<Histogram>& histogram(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

/// A family of gauges whose values are known only now.
class gauge_family {
  public:
    gauge_family(std::vector<prometheus::MetricFamily>& all, const char* name, const char* help,
                 prometheus::MetricType type = prometheus::MetricType::Gauge)
        : family_(all.emplace_back()) {
        family_.name = name;
        family_.help = help;
        family_.type = type;
    }

    void add(double value, std::vector<prometheus::ClientMetric::Label> labels = {}) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        metric.gauge.value = value;
        metric.counter.value = value;
        family_.metric.push_back(std::move(metric));
    }

  private:
    prometheus::MetricFamily& family_;
};

using label = prometheus::ClientMetric::Label;
using reading = double (*)(const engine::engine_load&);

void add_engine_gauge(std::vector<prometheus::MetricFamily>& all, const scrape_facts& facts, const char* name,
                      const char* help, reading read) {
    gauge_family family(all, name, help);
    for (const auto& model : facts.models) {
        if (model.generator) {
            family.add(read(model.generator->load()), {label{"model", model.id}});
        }
    }
}

void add_draft_tokens(std::vector<prometheus::MetricFamily>& all, const scrape_facts& facts) {
    gauge_family family(all, "starling_draft_tokens_total",
                        "tokens that a draft model proposed, by what became of them", prometheus::MetricType::Counter);
    for (const auto& model : facts.models) {
        if (model.generator) {
            const engine::engine_load load = model.generator->load();
            family.add(static_cast<double>(load.draft_accepted),
                       {label{"model", model.id}, label{"result", "accepted"}});
            family.add(static_cast<double>(load.draft_rejected),
                       {label{"model", model.id}, label{"result", "rejected"}});
        }
    }
}

void add_model_states(std::vector<prometheus::MetricFamily>& all, const scrape_facts& facts) {
    {
        gauge_family states(all, "starling_model_state", "1 for the state that the model is in");
        for (const auto& model : facts.models) {
            for (const auto state :
                 {route::model_state::standby, route::model_state::loading, route::model_state::ready,
                  route::model_state::waiting, route::model_state::failed}) {
                states.add(model.state == state ? 1.0 : 0.0,
                           {label{"model", model.id}, label{"state", to_string(state)}});
            }
        }
    }
    gauge_family progress(all, "starling_model_load_progress", "fraction of the model that is loaded");
    for (const auto& model : facts.models) {
        progress.add(static_cast<double>(model.progress), {label{"model", model.id}});
    }
}

void add_process(std::vector<prometheus::MetricFamily>& all, const scrape_facts& facts) {
    gauge_family(all, "starling_build_info", "always 1; the labels tell who this is")
        .add(1.0, {label{"version", facts.version}, label{"node_id", facts.node_id}});
    gauge_family(all, "starling_uptime_seconds", "since the node started").add(facts.uptime_s);
    gauge_family(all, "starling_http_connections", "open connections").add(static_cast<double>(facts.connections));
    gauge_family(all, "starling_process_resident_memory_bytes", "resident memory of the process")
        .add(static_cast<double>(facts.resident_bytes));
}

void add_mesh(std::vector<prometheus::MetricFamily>& all, const scrape_facts& facts) {
    if (!facts.routing) {
        return;
    }
    {
        gauge_family peers(all, "starling_peers", "other members of the mesh, by state");
        auto by_state = facts.peers;
        for (const char* state : member_states) {
            by_state.try_emplace(state, 0);
        }
        for (const auto& [state, count] : by_state) {
            peers.add(static_cast<double>(count), {label{"state", state}});
        }
    }
    const routing_facts& routing = *facts.routing;
    constexpr auto counting = prometheus::MetricType::Counter;
    {
        gauge_family routed(all, "starling_routed_requests_total", "requests by where they were answered", counting);
        routed.add(static_cast<double>(routing.here), {label{"to", "here"}});
        routed.add(static_cast<double>(routing.to_peers), {label{"to", "peer"}});
    }
    {
        gauge_family bytes(all, "starling_stage_bytes_total", "bytes between the stages of split models", counting);
        bytes.add(static_cast<double>(facts.traffic.sent_bytes), {label{"direction", "sent"}});
        bytes.add(static_cast<double>(facts.traffic.received_bytes), {label{"direction", "received"}});
    }
    gauge_family(all, "starling_routing_moved_on_total", "times that a node refused and the next one was asked",
                 counting)
        .add(static_cast<double>(routing.moved_on));
    gauge_family(all, "starling_resumed_streams_total", "streams that went on at another node", counting)
        .add(static_cast<double>(routing.resumed));
    gauge_family(all, "starling_lost_streams_total", "streams that no node could go on with", counting)
        .add(static_cast<double>(routing.lost));
}

}  // namespace

struct metrics::model_series {
    Histogram& first_token;
    Histogram& token_time;
    Histogram& queue_time;
    prometheus::Counter& prompt;
    prometheus::Counter& cached;
    prometheus::Counter& generated;
};

metrics::metrics()
    : registry_(std::make_unique<prometheus::Registry>()),
      requests_(counter(*registry_, "starling_http_requests_total", "requests answered, by route and status")),
      durations_(
          histogram(*registry_, "starling_http_request_duration_seconds", "from a request's head to its answer's end")),
      first_tokens_(
          histogram(*registry_, "starling_time_to_first_token_seconds", "from the request to the first token")),
      token_times_(histogram(*registry_, "starling_time_per_token_seconds", "mean time between an answer's tokens")),
      queue_times_(histogram(*registry_, "starling_queue_time_seconds", "waiting for a slot")),
      prompt_tokens_(counter(*registry_, "starling_prompt_tokens_total", "tokens of prompts")),
      cached_tokens_(
          counter(*registry_, "starling_cached_tokens_total", "tokens of prompts that were not computed again")),
      generated_tokens_(counter(*registry_, "starling_generated_tokens_total", "tokens of answers")) {
    for (const char* route : model_routes) {
        durations_.Add({{"route", route}}, request_buckets);
        for (const int status : usual_statuses) {
            requests_.Add({{"route", route}, {"status", std::to_string(status)}});
        }
    }
}

metrics::~metrics() = default;

metrics::model_series& metrics::of(const std::string& model) {
    const auto known = by_model_.find(model);
    if (known != by_model_.end()) {
        return known->second;
    }
    const prometheus::Labels labels{{"model", model}};
    return by_model_
        .emplace(model,
                 model_series{first_tokens_.Add(labels, first_token_buckets), token_times_.Add(labels, token_buckets),
                              queue_times_.Add(labels, first_token_buckets), prompt_tokens_.Add(labels),
                              cached_tokens_.Add(labels), generated_tokens_.Add(labels)})
        .first->second;
}

void metrics::request_answered(std::string_view route, int status, double seconds) {
    const std::string name(route);
    requests_.Add({{"route", name}, {"status", std::to_string(status)}}).Increment();
    durations_.Add({{"route", name}}, request_buckets).Observe(seconds);
}

void metrics::first_token(const std::string& model, double seconds) {
    of(model).first_token.Observe(seconds);
}

void metrics::answer_complete(const std::string& model, const engine::token_usage& usage,
                              const engine::stream_timing& timing) {
    auto& series = of(model);
    series.prompt.Increment(usage.prompt_tokens);
    series.cached.Increment(usage.cached_tokens);
    series.generated.Increment(usage.completion_tokens);
    series.queue_time.Observe(timing.queue_ms / 1000.0);
    if (usage.completion_tokens > 1) {
        series.token_time.Observe(timing.decode_ms / 1000.0 / (usage.completion_tokens - 1));
    }
}

std::string metrics::render(const scrape_facts& facts) {
    for (const auto& model : facts.models) {
        of(model.id);
    }
    auto all = registry_->Collect();
    add_process(all, facts);
    add_mesh(all, facts);
    add_model_states(all, facts);
    add_engine_gauge(all, facts, "starling_slots", "requests that can be answered at the same time",
                     [](const engine::engine_load& load) { return static_cast<double>(load.slots); });
    add_engine_gauge(all, facts, "starling_slots_busy", "requests being answered",
                     [](const engine::engine_load& load) { return static_cast<double>(load.busy); });
    add_engine_gauge(all, facts, "starling_queue_length", "requests waiting for a slot",
                     [](const engine::engine_load& load) { return static_cast<double>(load.queued); });
    add_engine_gauge(all, facts, "starling_tokens_per_second", "tokens generated, over the last seconds",
                     [](const engine::engine_load& load) { return load.tokens_per_s; });
    add_engine_gauge(all, facts, "starling_cancelled_requests",
                     "answers that were given up, since the model was loaded",
                     [](const engine::engine_load& load) { return static_cast<double>(load.cancelled); });
    add_draft_tokens(all, facts);
    return prometheus::TextSerializer().Serialize(all);
}

}  // namespace starling::api
