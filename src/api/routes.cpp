#include "api/routes.hpp"

#include <algorithm>
#include <array>

namespace starling::api {

namespace {

constexpr std::string_view model_prefix = "/v1/models/";

constexpr std::array entries{
    route_entry{endpoint::chat_completions, "/v1/chat/completions", "POST", false},
    route_entry{endpoint::completions, "/v1/completions", "POST", false},
    route_entry{endpoint::embeddings, "/v1/embeddings", "POST", false},
    route_entry{endpoint::models, "/v1/models", "GET", false},
    route_entry{endpoint::model, "/v1/models/{id}", "GET", false},
    route_entry{endpoint::health, "/health", "GET", true},
    route_entry{endpoint::metrics, "/metrics", "GET", false},
    route_entry{endpoint::status, "/api/status", "GET", false},
    route_entry{endpoint::peers, "/api/peers", "GET", false},
    route_entry{endpoint::deployments, "/api/deployments", "GET", false},
    route_entry{endpoint::start_page, "/", "GET", true},
};

constexpr route_entry no_route{endpoint::unknown, "unknown", "", false};

}  // namespace

const route_entry& find_route(std::string_view path) {
    const bool names_model = path.size() > model_prefix.size() && path.substr(0, model_prefix.size()) == model_prefix;
    for (const auto& entry : entries) {
        if (entry.endpoint == endpoint::model ? names_model : entry.path == path) {
            return entry;
        }
    }
    return no_route;
}

std::string_view model_in_path(std::string_view path) {
    return path.substr(std::min(path.size(), model_prefix.size()));
}

}  // namespace starling::api
