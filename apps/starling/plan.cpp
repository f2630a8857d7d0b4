// starling plan: where a model would go. Asked of the node that runs here, which knows the others; without one, for
// this machine alone.
#include "plan/plan.hpp"
#include "api/plan_json.hpp"
#include "command_line.hpp"
#include "json_fields.hpp"
#include "model_tools.hpp"
#include "node/errc.hpp"
#include "node/model_plan.hpp"
#include "node/running_node.hpp"
#include "node_api.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace starling::cli {

namespace {

namespace json = boost::json;

/// A model of hundreds of gigabytes is read in samples before it is planned, from a disk that may sleep.
constexpr std::chrono::milliseconds patience{60'000};

struct plan_arguments {
    given_settings given;
    std::string reference;
    bool json = false;
};

bool is_given(const given_settings& given, std::string_view flag) {
    for (const auto& [name, value] : given.flags) {
        if (name == flag) {
            return true;
        }
    }
    return false;
}

/// What was not given is the node's own choice, which may have been started with other flags than stand in the file.
json::object question_for_node(const plan_arguments& arguments, const settings::config& settings,
                               const models::reference& which) {
    json::object out{{"model", which.kind == models::reference_kind::file
                                   ? std::filesystem::absolute(which.path).string()
                                   : which.text()}};
    if (is_given(arguments.given, "split")) {
        out["split"] = settings.split == settings::split_mode::exactly ? json::value(settings.split_stages)
                       : settings.split == settings::split_mode::never ? json::value("never")
                                                                       : json::value("auto");
    }
    if (is_given(arguments.given, "ctx")) {
        out["ctx"] = settings.context;
    }
    if (is_given(arguments.given, "slots")) {
        out["slots"] = settings.slots;
    }
    return out;
}

int plan_with_node(const plan_arguments& arguments, const settings::config& settings, const models::reference& which) {
    return with_node(arguments.given, [&](node_api& api) -> result<void> {
        api.set_patience(patience);
        const auto told = api.post_as_owner("/api/plan", question_for_node(arguments, settings, which));
        if (!told) {
            return told.error();
        }
        const json::object* plan = told->if_object();
        if (plan == nullptr || text_of(*plan, "table").empty()) {
            return fail(node::errc::remote, "The node at " + api.url() + " gave no plan; it is of another version.");
        }
        std::fputs(
            arguments.json ? (json::serialize(*plan) + "\n").c_str() : printable(text_of(*plan, "table")).c_str(),
            stdout);
        return {};
    });
}

int plan_without_node(const plan_arguments& arguments, const settings::config& settings,
                      const models::reference& which) {
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    const auto made = node::plan_alone(settings, *tools->store, which);
    if (!made) {
        const bool is_refusal = made.error().code.category() == enum_category<plan::errc>::instance();
        return report({made.error().code,
                       made.error().message + (is_refusal ? " No node is running here, so no other was asked." : "")});
    }
    std::fputs("No node is running here, so this is for this machine alone.\n", stderr);
    const auto told = node::told(*made);
    std::fputs(arguments.json ? (json::serialize(api::plan_json(told)) + "\n").c_str() : printable(told.table).c_str(),
               stdout);
    return done;
}

int plan(const plan_arguments& arguments) {
    const auto settings = load_config(arguments.given);
    if (!settings) {
        return report(settings.error());
    }
    const auto which = models::parse_reference(arguments.reference);
    if (!which) {
        return report(which.error());
    }
    return node::find_running(settings->data_dir) ? plan_with_node(arguments, *settings, *which)
                                                  : plan_without_node(arguments, *settings, *which);
}

}  // namespace

void add_plan(CLI::App& app, action& run) {
    const auto arguments = std::make_shared<plan_arguments>();
    CLI::App* verb = app.add_subcommand("plan", "which machines would compute which layers of a model, and why");
    verb->add_option("REF", arguments->reference, "starter, hf://owner/repo/file.gguf, a path, or an id from the list")
        ->required();
    verb->add_flag("--json", arguments->json, "as /api/plan gives it");
    add_settings(*verb, arguments->given, {"data-dir", "split", "ctx", "slots"});
    verb->footer(
        "The node that runs on the data directory is asked, and plans with all machines of its mesh that have the\n"
        "model's file; what is not given here is as that node was started. Nothing is loaded.");
    verb->callback([arguments, &run] { run = [arguments] { return plan(*arguments); }; });
}

}  // namespace starling::cli
