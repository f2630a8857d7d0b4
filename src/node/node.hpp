// A node: the composition root. Configuration in, services wired, run until stopped.
//
// Owner: the program, or whoever embeds a node. Threads: `run` makes the calling thread the network thread, on which
// the API, the model table and every coroutine live; each model loads on a thread of its own; the HTTP client and each
// engine bring theirs. Two nodes fit in one process: there are no globals here.
//
//   create   checks everything that can be known at once: settings, data directory, key, models' files
//   run      API first, then the models; returns when stopped, or when there is nothing left to serve
//   stop     any thread; answers under way may finish for a few seconds
#pragma once

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "node/asking_observer.hpp"
#include "node/errc.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace spdlog {
class logger;
}

namespace starling::node {

enum class purpose {
    serve,           // models and an API; the only node on its data directory
    client,          // an API that is answered by the mesh; no model here
    idle,            // an API that serves no model: a page that says how to begin
    private_engine,  // models for this process alone: no port, no lock
};

enum class model_phase { fetching, loading, ready, failed };

struct model_event {
    std::string id;
    model_phase phase = model_phase::loading;
    float progress = 0.0F;  // 0 … 1, of fetching or loading
    std::string message;    // why it failed
};

struct listening_event {
    std::string api_url;  // "http://127.0.0.1:9337"
    std::string node_id;
};

/// Called on the network thread; must not block.
struct observer {
    std::function<void(const listening_event&)> on_listening;  // the API answers, the models may still load
    std::function<void(const model_event&)> on_model;
    std::function<void(const listening_event&)>
        on_ready;  // every model is loaded or has failed; one at least is loaded
    asking_observer asking;
};

struct resources {
    std::span<const std::byte> starter;  // the built-in model's file; empty: this build has none
    std::span<const std::byte> console;  // the web console (api/console_files.hpp); empty: this build has none
    std::shared_ptr<spdlog::logger> log;
    node::observer observer;

    /// Whoever runs the node creates it again where restart_settings() says so. Without that, what takes new sockets
    /// cannot be chosen in the console.
    bool may_restart = false;
};

class node {
  public:
    /// Errors: errc, with one sentence for the person in front.
    static result<std::unique_ptr<node>> create(settings::config settings, purpose why, resources with);
    ~node();
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    /// Blocks. Error: errc::cannot_listen, errc::data_dir, or errc::model when no model could be loaded.
    result<void> run();

    /// Any thread, at any time; more than once does no harm.
    void stop();

    boost::asio::any_io_executor executor();

    /// After run(): what to create it with again, at once, because something was chosen that takes a restart; the ports
    /// are those that it had. Nothing when it has ended, or stop() was called.
    std::optional<settings::config> restart_settings() const;

    /// Network thread. The generator of a model by its id, or of the first that is ready for an empty name.
    result<std::shared_ptr<engine::generator>> generator(std::string_view model);

    /// Network thread. What the person here says of the code that on_asked has told; of another one it means nothing.
    void confirm(std::string_view code, bool is_same);

    const std::string& node_id() const;

  private:
    class impl;
    explicit node(std::unique_ptr<impl> parts);

    std::unique_ptr<impl> impl_;
};

}  // namespace starling::node
