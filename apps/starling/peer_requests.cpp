#include "peer_requests.hpp"

#include "command_line.hpp"
#include "json_fields.hpp"
#include "node/errc.hpp"
#include "node_api.hpp"
#include "peer_list.hpp"
#include "terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace starling::cli {

namespace {

namespace json = boost::json;

struct request_arguments {
    given_settings given;
    std::vector<std::string> code;  // "482 913" is two words without quotes
    std::string role = "worker";
    bool no = false;
    bool json = false;
};

using arguments_ptr = std::shared_ptr<request_arguments>;

std::string code_of(const request_arguments& arguments) {
    std::string out;
    for (const std::string& word : arguments.code) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

void print_requests(const json::array& requests) {
    if (requests.empty()) {
        std::puts("Nobody asks to join.");
        return;
    }
    for (const json::value& one : requests) {
        if (const json::object* request = one.if_object()) {
            const std::string code = printable_line(text_of(*request, "code"));
            std::printf("%s  \"%s\" (%s), for %.0f s\n", code.c_str(),
                        printable_line(text_of(*request, "name")).c_str(),
                        short_id(printable_line(text_of(*request, "node_id"))).c_str(), number_of(*request, "since_s"));
        }
    }
    std::puts("Compare the code with the other machine's screen; then: starling peers approve CODE, or refuse CODE");
}

int list(const request_arguments& arguments) {
    return with_node(arguments.given, [&](node_api& api) -> result<void> {
        auto told = api.get_as_owner("/api/requests");
        if (!told) {
            return told.error();
        }
        if (!told->is_array()) {
            return fail(node::errc::remote, "What answers at " + api.url() + " is not a Starling node.");
        }
        if (arguments.json) {
            std::printf("%s\n", json::serialize(*told).c_str());
        } else {
            print_requests(told->get_array());
        }
        return {};
    });
}

int decide(const request_arguments& arguments, bool approve) {
    if (arguments.role != "worker" && arguments.role != "client") {
        return report(
            fail(settings::errc::wrong_usage,
                 "--role must be worker (it offers models) or client (it only asks), not '" + arguments.role + "'."));
    }
    return with_node(arguments.given, [&](node_api& api) -> result<void> {
        const auto told = api.post_as_owner(
            "/api/requests", {{"code", code_of(arguments)}, {"approve", approve}, {"role", arguments.role}});
        if (!told) {
            return told.error();
        }
        std::puts(approve ? "It is let in, as soon as the person there has confirmed the code too." : "It is told no.");
        return {};
    });
}

int confirm(const request_arguments& arguments) {
    if (arguments.code.empty() != arguments.no) {
        return report(fail(settings::errc::wrong_usage,
                           "Give the code on the member's screen, or --no when that shows another one or none."));
    }
    return with_node(arguments.given, [&](node_api& api) -> result<void> {
        json::object answer{{"confirm", !arguments.no}};
        if (!arguments.no) {
            answer["code"] = code_of(arguments);
        }
        const auto told = api.post_as_owner("/api/asking", answer);
        if (!told) {
            return told.error();
        }
        std::puts(arguments.no
                      ? "That node is not asked any more; others are."
                      : "The codes are the same; this node joins as soon as the member's person has approved.");
        return {};
    });
}

CLI::Option* add_code(CLI::App& verb, const arguments_ptr& arguments, const char* help) {
    constexpr int words = 2;
    return verb.add_option("CODE", arguments->code, help)->expected(1, words);
}

void add_decision(CLI::App& peers, action& run, bool approve) {
    const auto arguments = std::make_shared<request_arguments>();
    CLI::App* verb =
        approve ? peers.add_subcommand("approve", "let in who asks with this code, if its screen shows the same")
                : peers.add_subcommand("refuse", "say no to who asks with this code");
    add_code(*verb, arguments, "as `starling peers requests` shows it")->required();
    if (approve) {
        verb->add_option("--role", arguments->role,
                         "worker: offers models and asks; client: only asks (default worker)")
            ->type_name("ROLE");
    }
    add_settings(*verb, arguments->given, {"data-dir"});
    verb->callback([arguments, approve, &run] { run = [arguments, approve] { return decide(*arguments, approve); }; });
}

}  // namespace

void add_peer_requests(CLI::App& peers, action& run) {
    const auto arguments = std::make_shared<request_arguments>();
    CLI::App* verb = peers.add_subcommand("requests", "who asks to be let into the mesh, with their codes");
    verb->add_flag("--json", arguments->json, "as /api/requests gives it");
    add_settings(*verb, arguments->given, {"data-dir"});
    verb->callback([arguments, &run] { run = [arguments] { return list(*arguments); }; });
    add_decision(peers, run, true);
    add_decision(peers, run, false);
    const auto own = std::make_shared<request_arguments>();
    verb = peers.add_subcommand("confirm", "at a node that asks to be let in: the member's screen shows this code");
    add_code(*verb, own, "on the member's screen");
    verb->add_flag("--no", own->no, "the member's screen shows another code, or none");
    add_settings(*verb, own->given, {"data-dir"});
    verb->callback([own, &run] { run = [own] { return confirm(*own); }; });
}

}  // namespace starling::cli
