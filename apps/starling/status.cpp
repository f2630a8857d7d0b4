// starling status: what the running node says of itself.
#include "command_line.hpp"
#include "durations.hpp"
#include "json_fields.hpp"
#include "node_api.hpp"
#include "peer_list.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace starling::cli {

namespace {

namespace json = boost::json;

struct status_arguments {
    given_settings given;
    std::string url;
    bool json = false;
};

std::string shown(const json::object& from, const char* name) {
    return printable_line(text_of(from, name));
}

void print_models(const json::object& status) {
    const json::array& models = array_of(status, "models");
    if (models.empty()) {
        std::puts("models   none");
        return;
    }
    for (const json::value& item : models) {
        const json::object* model = item.if_object();
        if (model == nullptr) {
            continue;
        }
        std::printf("model    %s  %s  %.0f requests, %.1f a minute  %s\n", shown(*model, "id").c_str(),
                    shown(*model, "state").c_str(), number_of(*model, "requests"),
                    number_of(*model, "request_rate_per_min"), shown(*model, "source").c_str());
    }
}

/// A node that is in no mesh, or of a version that had none, says nothing of it.
void print_mesh(const json::object& status) {
    const std::string mesh = shown(status, "mesh_id");
    if (mesh.empty()) {
        return;
    }
    std::printf("mesh     %s  as %s", short_id(mesh).c_str(), shown(status, "role").c_str());
    if (const json::object& peers = object_of(status, "peers"); !peers.empty()) {
        std::printf("  %.0f of %.0f peers alive", number_of(peers, "alive"), number_of(peers, "known"));
    }
    std::putchar('\n');
}

void print_status(const json::object& status, const std::string& url) {
    const json::object& health = object_of(status, "health");
    const json::object& engine = object_of(status, "engine");
    std::printf("node     %s  %s\n", shown(status, "name").c_str(), shown(status, "node_id").c_str());
    std::printf("address  %s  version %s  up %s\n", url.c_str(), shown(status, "version").c_str(),
                roughly(std::chrono::duration<double>(number_of(status, "uptime_s"))).c_str());
    print_mesh(status);
    std::printf("health   %s (%.0f)  processor %.0f %%  memory %.0f %%\n", shown(health, "state").c_str(),
                number_of(health, "score"), number_of(health, "cpu"), number_of(health, "memory"));
    std::printf("engine   %.0f of %.0f slots busy, %.0f waiting, %.1f tokens/s\n", number_of(engine, "busy"),
                number_of(engine, "slots"), number_of(engine, "queued"), number_of(engine, "tokens_per_s"));
    print_models(status);
}

int status(const status_arguments& arguments) {
    interrupts keyboard;
    auto settings = load_config(arguments.given);
    if (!settings) {
        return report(settings.error());
    }
    auto api = node_api::open(*settings, arguments.url, keyboard);
    if (!api) {
        return report(api.error());
    }
    const auto told = api->get("/api/status");
    if (!told) {
        return report(told.error());
    }
    if (!told->is_object()) {
        return report(fail(node::errc::remote, "What answers at " + api->url() + " is not a Starling node."));
    }
    if (arguments.json) {
        std::printf("%s\n", json::serialize(*told).c_str());
    } else {
        print_status(told->get_object(), api->url());
    }
    return done;
}

}  // namespace

void add_status(CLI::App& app, action& run) {
    const auto arguments = std::make_shared<status_arguments>();
    CLI::App* verb = app.add_subcommand("status", "what the node that runs here is doing");
    verb->add_flag("--json", arguments->json, "as /api/status gives it");
    verb->add_option("--url", arguments->url, "another node's address")->type_name("URL");
    add_settings(*verb, arguments->given, {"data-dir", "api-key-file"});
    verb->callback([arguments, &run] { run = [arguments] { return status(*arguments); }; });
}

}  // namespace starling::cli
