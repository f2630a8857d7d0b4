// The table of endpoints. Pure.
#pragma once

#include <string>
#include <string_view>

namespace starling::api {

enum class endpoint {
    chat_completions,
    completions,
    embeddings,
    models,
    model,
    health,
    metrics,
    status,
    peers,
    deployments,
    invites,
    revocations,
    plan,
    requests,
    request_decision,
    asking,
    asking_answer,
    sharing,
    sharing_wish,
    about,
    model_rows,
    model_wish,
    session,
    events,
    history,
    console,
    unknown,
};

enum class access {
    api_key,  // where the node asks for one
    everyone,
    control,  // those who may read the node's data directory, pages of its own user's browser, and bearers of a key
    session,  // such pages
};

struct route_entry {
    api::endpoint endpoint = api::endpoint::unknown;
    std::string_view path;    // as metrics and logs name it
    std::string_view method;  // GET includes HEAD
    access who = access::api_key;
};

/// The endpoint of this path; `unknown` where there is none. Where a path has several methods, the first one's for a
/// method that it does not have.
const route_entry& find_route(std::string_view path, std::string_view method = "GET");

/// Of every file of the console but its page.
const route_entry& route_of_files();

/// That a path takes, as "GET" or "GET, POST"; HEAD goes with GET.
std::string methods_of(std::string_view path);

/// Of /v1/models/{id}; model ids may contain slashes.
std::string_view model_in_path(std::string_view path);

}  // namespace starling::api
