// starling client: the API and the console here, the models elsewhere in the mesh.
#include "command_line.hpp"
#include "running.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace starling::cli {

namespace {

int client(const given_settings& given) {
    auto settings = load_config(given);
    if (!settings) {
        return report(settings.error());
    }
    // The configuration file may be that of a node that serves as well.
    settings->models.clear();
    settings->upstream.clear();
    settings->upstream_key_file.clear();
    settings->standby = false;
    return run_node(
        std::move(*settings), node::purpose::client,
        {"The mesh answers; no model runs here. The address shows the console; an OpenAI client works with /v1 "
         "behind it.",
         "`starling chat` talks to it, `starling peers` shows who is there.", "Ctrl-C stops it."});
}

}  // namespace

void add_client(CLI::App& app, action& run) {
    const auto given = std::make_shared<given_settings>();
    CLI::App* verb = app.add_subcommand("client", "the API and the console here, answered by the mesh; no model here");
    add_settings(*verb, *given,
                 {"data-dir", "name", "bind", "port", "peer-port", "peer-bind", "join", "lan", "ask", "worker-wait",
                  "stall-timeout", "api-key-file", "cors-origin", "headless", "log-format", "log-level"});
    verb->callback([given, &run] { run = [given] { return client(*given); }; });
}

}  // namespace starling::cli
