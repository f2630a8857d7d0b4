// starling status: what the running node says of itself.
#include "base/size_text.hpp"
#include "command_line.hpp"
#include "durations.hpp"
#include "json_fields.hpp"
#include "node_api.hpp"
#include "peer_list.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
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
    if (const std::string why = shown(status, "removed"); !why.empty()) {
        std::printf("removed  %s To come back, start it with --join and a new invite.\n", why.c_str());
    }
}

std::string memory_text(double bytes) {
    return bytes > 0.0 ? size_text(static_cast<std::uint64_t>(bytes)) : std::string("-");
}

/// For people; what is not known here is shown as it came.
std::string in_words(const std::string& state) {
    return state == "starved"     ? "waits for machines"
           : state == "forming"   ? "is being put together"
           : state == "repairing" ? "is being mended"
                                  : state;
}

void print_stage(const json::object& stage, std::size_t width) {
    const std::string name = shown(stage, "name");
    const auto time = maybe_number_of(stage, "ms_per_token");
    std::array<char, 32> shown_time{};
    std::snprintf(shown_time.data(), shown_time.size(), time ? "%.2f ms a token" : "-", time.value_or(0.0));
    std::printf("           %-*s  %s  layers %3.0f to %3.0f  %8s  %15s  %s\n", static_cast<int>(width), name.c_str(),
                short_id(shown(stage, "node_id")).c_str(), number_of(stage, "first_layer"),
                number_of(stage, "last_layer"), memory_text(number_of(stage, "memory_bytes")).c_str(),
                shown_time.data(), shown(stage, "state").c_str());
}

/// Models that several nodes compute together, or that wait for nodes; those of one node are told with the models.
void print_splits(const json::array& deployments, const std::map<std::string, std::string>& names) {
    for (const json::value& item : deployments) {
        const json::object* one = item.if_object();
        if (one == nullptr) {
            continue;
        }
        const json::array& stages = array_of(*one, "stages");
        const std::string state = shown(*one, "state");
        if (stages.size() < 2 && state == "serving") {
            continue;
        }
        const std::string coordinator = text_of(*one, "coordinator");
        const auto name = names.find(coordinator);
        std::size_t width = 0;
        for (const json::value& stage : stages) {
            width = std::max(width, stage.is_object() ? shown(stage.get_object(), "name").size() : 0);
        }
        std::printf("split    %s  %s  coordinated by %s\n", shown(*one, "model").c_str(), in_words(state).c_str(),
                    printable_line(name != names.end() ? name->second : short_id(coordinator)).c_str());
        for (const json::value& stage : stages) {
            if (stage.is_object()) {
                print_stage(stage.get_object(), width);
            }
        }
        if (const std::string reason = shown(*one, "reason"); !reason.empty()) {
            std::printf("           %s\n", reason.c_str());
        }
    }
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
        const auto deployments = api->get("/api/deployments");
        const auto peers = api->get("/api/peers");
        std::map<std::string, std::string> names;
        for (const listed_peer& one :
             peers && peers->is_array() ? read_peers(peers->get_array(), {}) : std::vector<listed_peer>()) {
            names.emplace(one.node_id, one.name.empty() ? short_id(one.node_id) : one.name);
        }
        print_status(told->get_object(), api->url());
        print_splits(deployments && deployments->is_array() ? deployments->get_array() : json::array(), names);
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
