#include "node/mesh_lan.hpp"

#include "discovery/discovery.hpp"
#include "engine/errc.hpp"
#include "node/own_addresses.hpp"

#include <spdlog/logger.h>

#include <chrono>
#include <utility>

namespace starling::node {

using std::chrono::steady_clock;

namespace {

api::join_request shown(const peers::waiting_room::request& one) {
    const auto waited = steady_clock::now() - one.since;
    return {.code = one.code,
            .name = one.name,
            .node_id = to_string(one.who),
            .since_s = std::chrono::duration_cast<std::chrono::seconds>(waited).count()};
}

error invalid(std::string why) {
    return fail(engine::errc::invalid_request, std::move(why));
}

}  // namespace

peers::waiting_room* mesh_lan::open_room(peers::waiting_room::admitter admit) {
    peers::waiting_room::options how;
    how.name = with_.settings->name;
    how.admit = std::move(admit);
    how.on_request = [this](const peers::waiting_room::request& one) { on_request(one); };
    room_ = std::make_unique<peers::waiting_room>(with_.network, std::move(how));
    return room_.get();
}

void mesh_lan::on_request(const peers::waiting_room::request& one) {
    with_.log->info("\"{}\" ({}) asks to join, with the code {}", one.name, short_name(one.who), one.code);
    if (with_.observer.on_request) {
        with_.observer.on_request(shown(one));
    }
}

boost::asio::awaitable<void> mesh_lan::run_find_loop(node_id mesh, transport::address listens, bool takes_newcomers,
                                                     std::function<void(peers::contact)> on_member) {
    if (listens.address().is_loopback()) {
        with_.log->warn(
            "--lan finds nodes of this machine alone, because this one listens on {}; --peer-bind 0.0.0.0 would make "
            "it "
            "reachable for others",
            listens.address().to_string());
    }
    discovery::lan_options how;
    how.name = with_.settings->name;
    how.mesh = mesh;
    how.listens = listens;
    how.presence = takes_newcomers ? discovery::presence::announced : discovery::presence::silent;
    auto heard = [log = with_.log, found = std::move(on_member)](const discovery::sighting& one) {
        const std::string place = address_text(one.where.address(), one.where.port());
        log->debug("heard \"{}\" ({}) at {}", one.name, short_name(one.node), place);
        if (one.kind == discovery::beacon_kind::member) {
            found({.id = one.node, .addresses = {place}});
        }
    };
    auto finder = discovery::lan_discovery::create(with_.network, with_.self, std::move(how), std::move(heard));
    if (!finder) {
        with_.log->warn("{}", finder.error().message);
        co_return;
    }
    co_await (*finder)->run();
}

boost::asio::awaitable<result<newcomer::admitted>> mesh_lan::run_ask(transport::endpoint* through) {
    newcomer::parts parts{.network = with_.network,
                          .self = with_.self,
                          .name = with_.settings->name,
                          .observer = with_.observer,
                          .log = with_.log};
    newcomer_ = std::make_unique<newcomer>(std::move(parts));
    auto outcome = co_await newcomer_->run(through);
    newcomer_.reset();
    co_return outcome;
}

std::vector<api::join_request> mesh_lan::requests() const {
    std::vector<api::join_request> out;
    if (room_) {
        for (const auto& one : room_->waiting()) {
            out.push_back(shown(one));
        }
    }
    return out;
}

result<void> mesh_lan::decide(std::string_view code, bool approve, std::string_view role) {
    if (!room_) {
        return invalid(
            "Nobody can ask this node to join: that takes a node that was started with --lan, that others can reach, "
            "and "
            "that may invite (where the mesh was begun).");
    }
    const auto as = admission::parse_role(role);
    if (approve && !as) {
        return invalid("A role is worker or client.");
    }
    const auto done = approve ? room_->approve(code, *as) : room_->refuse(code);
    if (!done) {
        return invalid(done.error().message);
    }
    with_.log->info("the request with the code {} was {}", code, approve ? "approved" : "refused");
    return {};
}

std::optional<api::own_request> mesh_lan::own() const {
    return newcomer_ ? newcomer_->request() : std::nullopt;
}

result<void> mesh_lan::confirm(std::string_view code, bool is_same) {
    if (!newcomer_) {
        return invalid("This node does not ask to be let into a mesh.");
    }
    return newcomer_->confirm(code, is_same);
}

}  // namespace starling::node
