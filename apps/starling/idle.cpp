// starling without a verb: a page that says how to begin. It joins nothing and serves no model.
#include "command_line.hpp"
#include "running.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace starling::cli {

namespace {

int idle(const given_settings& given) {
    auto settings = load_config(given);
    if (!settings) {
        return report(settings.error());
    }
    settings->models.clear();
    settings->upstream.clear();
    settings->upstream_key_file.clear();
    settings->join.clear();
    return run_node(
        std::move(*settings), node::purpose::idle,
        {"Idle: it joins nothing and serves no model until you ask it to. Open the address in a browser, or:",
         "  starling chat            talk to the built-in model",
         "  starling serve           offer it as an OpenAI-compatible API",
         "  starling --help          everything else", "Ctrl-C stops it."});
}

}  // namespace

void add_idle(CLI::App& app, action& run) {
    const auto given = std::make_shared<given_settings>();
    add_settings(app, *given,
                 {"data-dir", "name", "bind", "port", "peer-port", "api-key-file", "cors-origin", "headless",
                  "log-format", "log-level"});
    // Runs before the callback of a verb, which then replaces it.
    app.parse_complete_callback([given, &run] {
        if (!run) {
            run = [given] { return idle(*given); };
        }
    });
}

}  // namespace starling::cli
