// What a node does on the local network when it is asked to (--lan): as a member it finds the other members, and keeps
// a waiting room for newcomers; in no mesh yet, with --ask, it is such a newcomer.
//
// Owner: mesh. Thread: the network executor. Called by: mesh, and api (who asks, and what people decide).
#pragma once

#include "api/asking_view.hpp"
#include "keys/keys.hpp"
#include "node/asking_observer.hpp"
#include "node/newcomer.hpp"
#include "peers/service.hpp"
#include "peers/waiting_room.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace spdlog {
class logger;
}

namespace starling::node {

/// All of it outlives the object.
struct lan_parts {
    boost::asio::any_io_executor network;
    const settings::config* settings = nullptr;
    keys::key_pair self;
    asking_observer observer;
    std::shared_ptr<spdlog::logger> log;
};

class mesh_lan final : public api::asking_view {
  public:
    explicit mesh_lan(lan_parts with) : with_(std::move(with)) {}

    /// For newcomers, from now on; it stays as long as this object. `admit` as in waiting_room.
    peers::waiting_room* open_room(peers::waiting_room::admitter admit);

    /// Finds members until it is cancelled. `listens` is where QUIC does; a node that `takes_newcomers` not is found by
    /// nobody, since an address where nobody can connect helps nobody. Says in the log when there is nothing to hear.
    boost::asio::awaitable<void> run_find_loop(node_id mesh, transport::address listens, bool takes_newcomers,
                                               std::function<void(peers::contact)> on_member);

    /// Asks members until one lets this node in. `through` outlives the call. Error: discovery::errc.
    boost::asio::awaitable<result<newcomer::admitted>> run_ask(transport::endpoint* through);

    // api::asking_view
    std::vector<api::join_request> requests() const override;
    result<void> decide(std::string_view code, bool approve, std::string_view role) override;
    std::optional<api::own_request> own() const override;
    result<void> confirm(std::string_view code, bool is_same) override;

  private:
    void on_request(const peers::waiting_room::request& one);

    lan_parts with_;
    std::unique_ptr<peers::waiting_room> room_;
    std::unique_ptr<newcomer> newcomer_;
};

}  // namespace starling::node
