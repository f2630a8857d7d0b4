#include "api/routes.hpp"

#include <algorithm>
#include <array>

namespace starling::api {

namespace {

constexpr std::string_view model_prefix = "/v1/models/";

constexpr std::array entries{
    route_entry{endpoint::chat_completions, "/v1/chat/completions", "POST"},
    route_entry{endpoint::completions, "/v1/completions", "POST"},
    route_entry{endpoint::embeddings, "/v1/embeddings", "POST"},
    route_entry{endpoint::models, "/v1/models", "GET"},
    route_entry{endpoint::model, "/v1/models/{id}", "GET"},
    route_entry{endpoint::health, "/health", "GET", access::everyone},
    route_entry{endpoint::metrics, "/metrics", "GET"},
    route_entry{endpoint::status, "/api/status", "GET"},
    route_entry{endpoint::peers, "/api/peers", "GET"},
    route_entry{endpoint::deployments, "/api/deployments", "GET"},
    route_entry{endpoint::invites, "/api/invites", "POST", access::control_token},
    route_entry{endpoint::revocations, "/api/revocations", "POST", access::control_token},
    route_entry{endpoint::start_page, "/", "GET", access::everyone},
};

constexpr route_entry no_route{endpoint::unknown, "unknown", ""};

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
