// The entry node's side of routing: one generator for each model name, which picks a worker for every request, asks the
// next one when a worker refuses, and lets another worker go on with a stream whose worker died, hangs or gave it up.
// The client sees a pause; the text is the same, since an engine continues from token ids as if it had drawn them
// itself (engine::generate_request::resume).
//
// Owner: node. Thread: the network executor. Called by: api, through the generators. The directory outlives the
// dispatcher, its generators and their streams.
//
// Errors of a call:
// - what the request itself is to blame for (invalid_request, unsupported, prompt_too_long when nobody has a larger
//   context) and internal, upstream_error: as the worker said it, at once;
// - queue_full, overloaded: at once when somebody serves the model, but everybody is full;
// - unavailable from this node's own backend, unknown_model: at once when nobody else can be asked;
// - unavailable: nobody served the model for options::worker_wait, or a stream could not go on; the sentence says how
//   many tokens had been delivered and how long was waited;
// - deadline: the call's deadline passed.
#pragma once

#include "aio/wake_up.hpp"
#include "engine/engine.hpp"
#include "route/worker_policy.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace starling::dispatch {

/// One node that serves a model, as seen now.
struct worker {
    route::worker_view view;  // speeds and cached tokens may be left 0: the dispatcher fills in what it measured itself
    std::string content;  // hash of the model's content; empty: unknown (an upstream server), nobody can go on with it
    /// The same object as long as the node was not away in between: a new one is how a worker that died comes back.
    std::shared_ptr<engine::generator> generator;
};

/// Who serves what, as the node knows it. Implemented by node.
class directory {
  public:
    directory() = default;
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    virtual ~directory() = default;

    /// All that serve the model now, in any order, each node once.
    virtual std::vector<worker> workers(std::string_view model) = 0;

    /// Notified when workers() may have become different.
    virtual aio::wake_up& changed() = 0;

    /// A request waits that nobody can serve now: a standby node may load the model.
    virtual void wanted(std::string_view model) = 0;
};

struct options {
    std::chrono::milliseconds worker_wait{30'000};    // how long a request waits for a worker when there is none
    std::chrono::milliseconds stall_timeout{30'000};  // a worker that gives no token for so long counts as hung
};

/// The first token of a worker may take this many times stall_timeout: a long prompt comes before it.
inline constexpr int first_token_patience = 10;

/// A request that brings its workers down must not go through the whole mesh.
inline constexpr int max_takeovers = 8;

/// While nobody can serve a request, those who refused are asked again this often: not every recovery is announced.
inline constexpr std::chrono::milliseconds ask_again_every{1'000};

inline constexpr std::size_t recent_decisions = 32;  // what a status page shows

/// Who took a request, or the rest of one, and why.
struct decision {
    std::string request_id;
    std::string model;
    std::string node;  // 64 hex characters
    bool here = false;
    std::string reason;
    std::int32_t resumed_at = -1;  // tokens the client had when this worker took over; -1: from the beginning
    std::string cause;             // why the worker before was left or did not take it; empty for the first asked
};

struct counters {
    std::uint64_t routed_here = 0;      // requests whose first worker was this node
    std::uint64_t routed_to_peers = 0;  // … another one
    std::uint64_t moved_on = 0;         // refused, or lost before its first token: the next one was asked
    std::uint64_t resumed = 0;          // streams that another worker went on with
    std::uint64_t lost = 0;             // streams that ended with an error, for nobody could go on
};

struct core;

class dispatcher {
  public:
    /// `seed` decides between workers that are as good as each other. `log` is told of every decision; may be empty.
    dispatcher(boost::asio::any_io_executor network, directory& workers, options how, std::uint64_t seed,
               std::function<void(const decision&)> log);

    /// A front for that model. Its info() is `info`, with the largest context among the workers; its load() is their
    /// sum. It may outlive the dispatcher.
    std::shared_ptr<engine::generator> generator(std::string model, engine::model_info info);

    /// The last ones, oldest first.
    const std::deque<decision>& recent() const;

    using counters = dispatch::counters;
    counters count() const;

  private:
    std::shared_ptr<core> core_;
};

}  // namespace starling::dispatch
