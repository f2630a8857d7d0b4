// The endpoints of a node: /v1 for OpenAI clients, /api for its own tools, /health, /metrics and the web console.
//
// Owner: node. Thread: the network executor, which must run on one thread; the model table is read and asked there.
// Called by: HTTP clients. It takes requests apart (openai), asks the table for a generator (route), and writes what
// the generator yields (http).
#pragma once

#include "base/result.hpp"
#include "http/types.hpp"
#include "route/health.hpp"
#include "route/model_table.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace starling::api {

class asking_view;
class log_view;
class mesh_view;
class model_shelf;
class sharing_view;
struct about_facts;

struct options {
    std::string bind = "127.0.0.1";         // an IP address
    std::uint16_t port = 9337;              // 0: a free one
    std::vector<std::string> api_keys;      // empty: no key is asked for
    std::vector<std::string> cors_origins;  // exact origins ("http://localhost:5173"), or "*"; empty: none
    bool console = true;                    // false: nothing at "/"
    http::limits limits;
    std::chrono::milliseconds sse_comment_every{15'000};  // while a stream waits: proxies cut silent connections
};

/// What the node says of itself. The functions are called on the network executor and must not block.
struct node_facts {
    std::string node_id;
    std::string name;
    std::string version;
    mesh_view* mesh = nullptr;           // outlives the server; null: in none
    asking_view* asking = nullptr;       // likewise; null: nobody asks to be let in
    model_shelf* shelf = nullptr;        // likewise; null: no model files here
    log_view* log = nullptr;             // likewise; null: no log is kept
    sharing_view* sharing = nullptr;     // likewise; null: can be in no mesh
    std::function<about_facts()> about;  // for those who may see where it listens; none: nobody
    std::string control_token;           // of those who may read the data directory; empty: closed
    std::string console_token;           // for pages of our own user's browser; empty: they may only look
    std::span<const std::byte> console;  // console_files' pack; outlives the server; empty: a plain page
    std::string role;                    // worker, client, both
    std::function<route::machine_load()> machine_load;  // none: reported as idle
    std::function<std::uint64_t()> random;              // seeds of requests that name none, and request ids
};

/// One answered request, for the log.
struct access_entry {
    std::string request_id;
    std::string method;
    std::string path;
    int status = 0;  // 499: the client went away before the answer was complete
    double duration_ms = 0.0;
    std::string model;  // empty where none was asked
    std::int32_t prompt_tokens = 0;
    std::int32_t completion_tokens = 0;
    std::string detail;  // the error's message, or why this generator was chosen
};

using access_sink = std::function<void(const access_entry&)>;

class server {
  public:
    /// `models` must outlive the server.
    server(boost::asio::any_io_executor network, options options, route::model_table& models, node_facts facts,
           access_sink log = {});
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds and begins to accept; gives the port. Errors: http::errc.
    result<std::uint16_t> start();

    /// Accepts no more, lets answers under way finish within limits.drain, cancels the rest, and waits for all.
    boost::asio::awaitable<void> stop();

  private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace starling::api
