// starling peers, starling peers revoke ID: who is in the mesh, and who is not any more. Who asks to be let in is in
// peer_requests.
#include "command_line.hpp"
#include "json_fields.hpp"
#include "node/errc.hpp"
#include "node_api.hpp"
#include "peer_list.hpp"
#include "peer_requests.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace starling::cli {

namespace {

namespace json = boost::json;

struct peers_arguments {
    given_settings given;
    std::string url;
    bool json = false;
    std::string id;  // of the node that is revoked
};

result<json::array> ask_peers(node_api& api) {
    auto told = api.get("/api/peers");
    if (!told) {
        return told.error();
    }
    if (!told->is_array()) {
        return fail(node::errc::remote, "What answers at " + api.url() + " is not a Starling node.");
    }
    return std::move(told->get_array());
}

/// Which row is the node itself: known from its data directory, else asked.
result<std::string> ask_own_id(node_api& api) {
    if (!api.node_id().empty()) {
        return api.node_id();
    }
    auto told = api.get("/api/status");
    if (!told) {
        return told.error();
    }
    const json::object* status = told->if_object();
    return status == nullptr ? std::string{} : text_of(*status, "node_id");
}

void print_peers(const std::vector<listed_peer>& peers) {
    std::fputs(peer_table(peers).c_str(), stdout);
    const bool alone = std::all_of(peers.begin(), peers.end(), [](const listed_peer& peer) { return peer.is_asked; });
    if (alone) {
        std::puts("No other node is in this mesh yet; invite one with: starling invite");
    }
}

int show(const peers_arguments& arguments) {
    interrupts keyboard;  // before any thread
    auto settings = load_config(arguments.given);
    if (!settings) {
        return report(settings.error());
    }
    auto api = node_api::open(*settings, arguments.url, keyboard);
    if (!api) {
        return report(api.error());
    }
    const auto told = ask_peers(*api);
    if (!told) {
        return report(told.error());
    }
    if (arguments.json) {
        std::printf("%s\n", json::serialize(*told).c_str());
        return done;
    }
    const auto own_id = ask_own_id(*api);
    if (!own_id) {
        return report(own_id.error());
    }
    print_peers(read_peers(*told, *own_id));
    return done;
}

result<void> revoke(const peers_arguments& arguments, node_api& api) {
    const auto told = ask_peers(api);
    if (!told) {
        return told.error();
    }
    auto peers = read_peers(*told, api.node_id());
    if (std::none_of(peers.begin(), peers.end(), [](const listed_peer& peer) { return peer.is_asked; })) {
        peers.push_back({.node_id = api.node_id(), .is_asked = true});  // so that its id is recognised too
    }
    const auto id = whole_id(arguments.id, peers);
    if (!id) {
        return id.error();
    }
    if (*id == api.node_id()) {
        return fail(node::errc::remote, short_id(*id) +
                                            "… is the node that runs here, and a node does not revoke itself; "
                                            "do it on another one, or stop this one.");
    }
    const auto revoked = api.post_as_owner("/api/revocations", {{"node_id", *id}});
    if (!revoked) {
        return revoked.error();
    }
    const auto peer = std::find_if(peers.begin(), peers.end(), [&](const listed_peer& p) { return p.node_id == *id; });
    if (peer == peers.end()) {
        std::printf("No node with the id %s… is known here; should it come, it is refused.\n", short_id(*id).c_str());
    } else {
        std::printf("%s (%s…) is out; every node will know within seconds.\n",
                    (peer->name.empty() ? std::string("The node") : peer->name).c_str(), short_id(*id).c_str());
    }
    return {};
}

void add_revoke(CLI::App& peers, const std::shared_ptr<peers_arguments>& arguments, action& run) {
    CLI::App* verb = peers.add_subcommand("revoke", "put a node out of the mesh, for good: it needs a new invite");
    verb->add_option("ID", arguments->id, "of the node: 8 or more of the characters that `starling peers` shows")
        ->required();
    add_settings(*verb, arguments->given, {"data-dir", "api-key-file"});
    verb->callback([arguments, &run] {
        run = [arguments] {
            return with_node(arguments->given, [&](node_api& api) { return revoke(*arguments, api); });
        };
    });
}

}  // namespace

void add_peers(CLI::App& app, action& run) {
    const auto arguments = std::make_shared<peers_arguments>();
    CLI::App* verb = app.add_subcommand("peers", "who is in the mesh, and how well; the verbs below it say who may be");
    verb->add_flag("--json", arguments->json, "as /api/peers gives it");
    verb->add_option("--url", arguments->url, "another node's address")->type_name("URL");
    add_settings(*verb, arguments->given, {"data-dir", "api-key-file"});
    verb->require_subcommand(0, 1);
    add_revoke(*verb, arguments, run);
    add_peer_requests(*verb, run);
    // Called after that of the verb below it, when one was given.
    verb->callback([verb, arguments, &run] {
        if (verb->get_subcommands().empty()) {
            run = [arguments] { return show(*arguments); };
        }
    });
}

}  // namespace starling::cli
