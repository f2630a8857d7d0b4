// Prometheus metrics: what happened is counted here; what is now (queues, slots, models) is read at each scrape.
#pragma once

#include "api/mesh_view.hpp"
#include "engine/types.hpp"
#include "route/model_table.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Registry;
class Counter;
class Histogram;
template <class T>
class Family;
}  // namespace prometheus

namespace starling::api {

/// Of one scrape.
struct scrape_facts {
    std::string version;
    std::string node_id;
    double uptime_s = 0.0;
    std::size_t connections = 0;
    std::uint64_t resident_bytes = 0;
    std::vector<route::model_status> models;
    std::optional<routing_facts> routing;  // none: in no mesh
    stage_traffic traffic;
    std::map<std::string, std::size_t> peers;  // by state
};

class metrics {
  public:
    metrics();
    ~metrics();
    metrics(const metrics&) = delete;
    metrics& operator=(const metrics&) = delete;

    void request_answered(std::string_view route, int status, double seconds);
    void first_token(const std::string& model, double seconds);
    void answer_complete(const std::string& model, const engine::token_usage& usage,
                         const engine::stream_timing& timing);

    /// Text exposition format 0.0.4. What counts requests begins at zero for the routes of the models, and for the
    /// models of this node; for models of others it begins with the first answer.
    std::string render(const scrape_facts& facts);

  private:
    struct model_series;
    model_series& of(const std::string& model);

    std::unique_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Counter>& requests_;
    prometheus::Family<prometheus::Histogram>& durations_;
    prometheus::Family<prometheus::Histogram>& first_tokens_;
    prometheus::Family<prometheus::Histogram>& token_times_;
    prometheus::Family<prometheus::Histogram>& queue_times_;
    prometheus::Family<prometheus::Counter>& prompt_tokens_;
    prometheus::Family<prometheus::Counter>& cached_tokens_;
    prometheus::Family<prometheus::Counter>& generated_tokens_;
    std::map<std::string, model_series, std::less<>> by_model_;
};

}  // namespace starling::api
