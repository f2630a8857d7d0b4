// starling status: what the running node says of itself.
#include "background.hpp"
#include "command_line.hpp"
#include "node/key_file.hpp"
#include "node/running_node.hpp"
#include "verbs.hpp"
#include "wait.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <memory>

namespace starling::cli {

namespace {

namespace json = boost::json;

/// Each model is a few hundred bytes.
constexpr std::size_t max_status_bytes = std::size_t{4} * 1024 * 1024;
constexpr std::chrono::milliseconds patience{5'000};  // for a program on the same machine

struct status_arguments {
    given_settings given;
    std::string url;
    bool json = false;
};

boost::asio::awaitable<result<std::string>> fetch_status(fetch::client& http, fetch::request request) {
    const std::string url = request.url.substr(0, request.url.rfind("/api/"));
    auto response = co_await http.open(std::move(request));
    if (!response) {
        co_return fail(node::errc::remote, "The node at " + url + " does not answer: " + response.error().message);
    }
    const int status = (*response)->head().status;
    auto body = co_await fetch::read_all(**response, max_status_bytes);
    if (status == 401) {
        co_return fail(node::errc::remote, "The node at " + url + " asks for an API key; add --api-key-file FILE.");
    }
    if (status != 200 || !body) {
        co_return fail(node::errc::remote,
                       "The node at " + url + " answered with status " + std::to_string(status) + ".");
    }
    co_return std::move(*body);
}

std::string text_of(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string{} : std::string(text->data(), text->size());
}

double number_of(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0.0;
}

const json::object& object_of(const json::object& object, const char* name) {
    static const json::object empty;
    const json::value* value = object.if_contains(name);
    const json::object* found = value == nullptr ? nullptr : value->if_object();
    return found == nullptr ? empty : *found;
}

std::string duration(double seconds) {
    const auto whole = static_cast<long long>(seconds);
    char text[64];
    if (whole < 120) {
        std::snprintf(text, sizeof text, "%lld s", whole);
    } else if (whole < 7200) {
        std::snprintf(text, sizeof text, "%lld min", whole / 60);
    } else {
        std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
    }
    return text;
}

void print_models(const json::object& status) {
    const json::value* list = status.if_contains("models");
    const json::array* models = list == nullptr ? nullptr : list->if_array();
    if (models == nullptr || models->empty()) {
        std::puts("models   none");
        return;
    }
    for (const json::value& item : *models) {
        const json::object* model = item.if_object();
        if (model == nullptr) {
            continue;
        }
        std::printf("model    %s  %s  %.0f requests, %.1f a minute  %s\n", text_of(*model, "id").c_str(),
                    text_of(*model, "state").c_str(), number_of(*model, "requests"),
                    number_of(*model, "request_rate_per_min"), text_of(*model, "source").c_str());
    }
}

void print_status(const json::object& status, const std::string& url) {
    const json::object& health = object_of(status, "health");
    const json::object& engine = object_of(status, "engine");
    std::printf("node     %s  %s\n", text_of(status, "name").c_str(), text_of(status, "node_id").c_str());
    std::printf("address  %s  version %s  up %s\n", url.c_str(), text_of(status, "version").c_str(),
                duration(number_of(status, "uptime_s")).c_str());
    std::printf("health   %s (%.0f)  processor %.0f %%  memory %.0f %%\n", text_of(health, "state").c_str(),
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
    std::string url = arguments.url;
    std::filesystem::path key_file = settings->api_key_file;
    if (url.empty()) {
        const auto running = node::find_running(settings->data_dir);
        if (!running) {
            return report(fail(node::errc::remote, "No node is running on " + settings->data_dir.string() +
                                                       "; start one with: starling serve"));
        }
        url = running->api_url;
        if (key_file.empty()) {
            key_file = running->api_key_file;
        }
    }
    fetch::request request;
    request.url = url + "/api/status";
    request.idle_timeout = patience;
    if (!key_file.empty()) {
        auto keys = node::read_keys(key_file);
        if (!keys) {
            return report(keys.error());
        }
        request.headers.emplace_back("Authorization", "Bearer " + keys->front());
    }
    auto work = background::create();
    if (!work) {
        return report(work.error());
    }
    auto asking = fetch_status((*work)->http(), std::move(request));
    const auto body = wait_for((*work)->executor(), std::move(asking), keyboard);
    if (!body) {
        return interrupted;
    }
    if (!*body) {
        return report(body->error());
    }
    boost::system::error_code wrong;
    const json::value parsed = json::parse(**body, wrong);
    if (wrong || !parsed.is_object()) {
        return report(fail(node::errc::remote, "What answers at " + url + " is not a Starling node."));
    }
    if (arguments.json) {
        std::printf("%s\n", json::serialize(parsed).c_str());
    } else {
        print_status(parsed.get_object(), url);
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
