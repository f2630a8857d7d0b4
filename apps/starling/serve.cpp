// starling serve: a node in the foreground.
#include "command_line.hpp"
#include "running.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace starling::cli {

namespace {

int serve(const given_settings& given) {
    auto settings = load_config(given);
    if (!settings) {
        return report(settings.error());
    }
    return run_node(std::move(*settings), node::purpose::serve,
                    {"Open that address in a browser for the console; an OpenAI client works with /v1 behind it.",
                     "`starling chat` talks to this node.", "Ctrl-C stops it."});
}

}  // namespace

void add_serve(CLI::App& app, action& run) {
    const auto given = std::make_shared<given_settings>();
    CLI::App* verb =
        app.add_subcommand("serve", "run a node: the API, with the built-in model unless --model names another");
    add_settings(*verb, *given);
    verb->callback([given, &run] { run = [given] { return serve(*given); }; });
}

}  // namespace starling::cli
