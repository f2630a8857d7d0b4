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
    route_entry{endpoint::invites, "/api/invites", "POST", access::control},
    route_entry{endpoint::revocations, "/api/revocations", "POST", access::control},
    route_entry{endpoint::plan, "/api/plan", "POST", access::control},
    route_entry{endpoint::requests, "/api/requests", "GET", access::control},
    route_entry{endpoint::request_decision, "/api/requests", "POST", access::control},
    route_entry{endpoint::asking, "/api/asking", "GET", access::control},
    route_entry{endpoint::asking_answer, "/api/asking", "POST", access::control},
    route_entry{endpoint::model_rows, "/api/models", "GET"},
    route_entry{endpoint::model_wish, "/api/models", "POST", access::control},
    route_entry{endpoint::sharing, "/api/sharing", "GET"},
    route_entry{endpoint::sharing_wish, "/api/sharing", "POST", access::control},
    route_entry{endpoint::about, "/api/about", "GET", access::control},
    route_entry{endpoint::session, "/api/session", "POST", access::session},
    route_entry{endpoint::events, "/api/events", "GET"},
    route_entry{endpoint::history, "/api/history", "GET"},
    route_entry{endpoint::console, "/", "GET", access::everyone},
};

constexpr route_entry no_route{endpoint::unknown, "unknown", ""};
constexpr route_entry file_route{endpoint::console, "/{file}", "GET", access::everyone};

bool is_at(const route_entry& entry, std::string_view path) {
    const bool names_model = path.size() > model_prefix.size() && path.starts_with(model_prefix);
    return entry.endpoint == endpoint::model ? names_model : entry.path == path;
}

}  // namespace

const route_entry& find_route(std::string_view path, std::string_view method) {
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    const route_entry* found = nullptr;
    for (const auto& entry : entries) {
        if (is_at(entry, path) && (found == nullptr || entry.method == wanted)) {
            found = &entry;
        }
    }
    return found == nullptr ? no_route : *found;
}

const route_entry& route_of_files() {
    return file_route;
}

std::string methods_of(std::string_view path) {
    std::string out;
    for (const auto& entry : entries) {
        if (is_at(entry, path)) {
            out += (out.empty() ? "" : ", ") + std::string(entry.method);
        }
    }
    return out;
}

std::string_view model_in_path(std::string_view path) {
    return path.substr(std::min(path.size(), model_prefix.size()));
}

}  // namespace starling::api
