// A generator whose engine is another OpenAI-compatible server.
//
// Everything above sees an `engine::generator` like any other: tokens come as a stream, dropping the stream closes the
// connection to the server, and the server's errors come back as engine errors with the server's own words. What such a
// server does not tell stays unknown: token ids are `engine::no_token`, and a stream cannot be resumed from token ids.
//
// Owner: node. Thread: the network executor. Called by: api through route, and by the `chat` verb, which talks to a
// running node in this way. The `fetch::client` must outlive every generator made here.
//
// Protocol: OpenAI chat completions, completions and embeddings, and the server-sent events of the WHATWG HTML
// standard.
#pragma once

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "fetch/fetch.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace starling::upstream {

template <class T>
using awaitable = engine::awaitable<T>;

struct options {
    std::string id;        // the model's name on this node, as in /v1/models
    std::string base_url;  // "http://host:port", with or without "/v1" at its end
    std::string model;     // the model's name on the server; empty: the same as `id`
    std::string api_key;   // empty: none. Sent to this server alone, and never part of a message or a log line.
    std::string title = "The upstream server";     // how messages call it
    std::string key_flag = "--upstream-key-file";  // what messages advise when it refuses the key
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds idle_timeout{300'000};  // a long prompt may keep a server silent for minutes
};

/// Checks the URL and contacts nobody. Errors: engine::errc::invalid_request.
result<std::shared_ptr<engine::generator>> create(options settings, fetch::client& client);

/// The names that the server offers. Errors as those of `generate`.
awaitable<result<std::vector<std::string>>> list_models(options settings, fetch::client& client);

}  // namespace starling::upstream
