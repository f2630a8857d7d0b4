#include "api/plan_json.hpp"

#include <utility>

namespace starling::api {

namespace json = boost::json;

json::object plan_json(const model_plan& from) {
    json::array stages;
    for (const planned_stage& one : from.stages) {
        stages.push_back(json::object{{"node_id", one.node_id.empty() ? json::value() : json::value(one.node_id)},
                                      {"name", one.name},
                                      {"first_layer", one.first_layer},
                                      {"last_layer", one.last_layer},
                                      {"memory_bytes", one.memory_bytes},
                                      {"ms_per_token", one.ms_per_token}});
    }
    return {{"model", from.model},
            {"stages", std::move(stages)},
            {"tokens_per_s", from.tokens_per_s},
            {"total_tokens_per_s", from.total_tokens_per_s},
            {"reason", from.reason},
            {"table", from.table}};
}

}  // namespace starling::api
