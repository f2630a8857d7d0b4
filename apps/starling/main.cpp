// The command line of Starling: parses, dispatches to one verb, and turns what comes back into an exit code.
#include "command_line.hpp"
#include "settings/nearest.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace starling::cli {

namespace {

/// The verb that was given, down to the last.
const CLI::App& given_verb(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
    }
    return *at;
}

std::string verb_name(const CLI::App& app) {
    const CLI::App* parent = app.get_parent();
    return parent == nullptr ? std::string("starling") : verb_name(*parent) + " " + app.get_name();
}

/// Names that could have been meant: flags for a flag, verbs for a word.
std::vector<std::string> known_names(const CLI::App& verb, bool flags) {
    std::vector<std::string> out;
    if (flags) {
        for (const CLI::Option* option : verb.get_options()) {
            for (const std::string& name : option->get_lnames()) {
                out.push_back("--" + name);
            }
        }
    } else {
        for (const CLI::App* sub : verb.get_subcommands({})) {
            out.push_back(sub->get_name());
        }
    }
    return out;
}

/// The first thing on the command line that was not understood: a flag before a word. Empty when there is none.
std::string first_extra(const CLI::App& app) {
    const std::vector<std::string> extras = app.remaining(true);
    for (const std::string& extra : extras) {
        if (extra.starts_with("-")) {
            return extra.substr(0, extra.find('='));
        }
    }
    return extras.empty() ? std::string{} : extras.front();
}

/// One sentence on what was not understood, with the nearest thing that would have been.
std::string explain_extra(const CLI::App& app) {
    const CLI::App& verb = given_verb(app);
    const std::string word = first_extra(app);
    const bool flag = word.starts_with("-");
    const bool takes_verbs = !verb.get_subcommands({}).empty();
    const std::vector<std::string> names = known_names(verb, flag);
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string_view close = settings::nearest(word, views);
    std::string out = flag          ? "There is no flag " + word
                      : takes_verbs ? "There is no verb '" + word + "'"
                                    : "'" + word + "' is one word too many";
    out += close.empty() ? "; " : "; did you mean " + std::string(close) + "? Otherwise ";
    return out + "see: " + verb_name(verb) + " --help";
}

int parse_and_run(int argc, char** argv) {
    CLI::App app{"Starling pools the machines you have into one LLM. Every one of them offers the same API.",
                 "starling"};
    app.set_version_flag("--version", "starling " STARLING_VERSION);
    app.require_subcommand(0, 1);
    app.footer(
        "Begin with:\n"
        "  starling chat \"Tell me a story about a lighthouse.\"\n"
        "  starling serve                   then point any OpenAI client at http://127.0.0.1:9337/v1\n"
        "  starling invite                  on the machine that serves; then, on another one:\n"
        "  starling serve --join INVITE     adds it\n"
        "  starling doctor                  checks this machine and says what to do");

    action run;
    add_idle(app, run);
    add_serve(app, run);
    add_client(app, run);
    add_chat(app, run);
    add_invite(app, run);
    add_peers(app, run);
    add_status(app, run);
    add_models(app, run);
    add_plan(app, run);
    add_doctor(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        std::fprintf(stderr, "starling: %s\n", explain_extra(app).c_str());
        return wrong_usage;
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) {
            return app.exit(e);  // --help and --version
        }
        // A wrong word where a verb was wanted is told as such, and not as a verb that is missing.
        const bool extra = dynamic_cast<const CLI::RequiredError*>(&e) != nullptr && !first_extra(app).empty();
        const std::string why =
            extra ? explain_extra(app) : std::string(e.what()) + "; see: " + verb_name(given_verb(app)) + " --help";
        std::fprintf(stderr, "starling: %s\n", why.c_str());
        return wrong_usage;
    }
    return run();
}

}  // namespace

}  // namespace starling::cli

int main(int argc, char** argv) {
    try {
        return starling::cli::parse_and_run(argc, argv);
    } catch (const std::exception& bug) {
        std::fprintf(stderr, "starling: something went wrong that should not have: %s\n", bug.what());
        return starling::cli::failed;
    }
}
