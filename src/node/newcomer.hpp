// A node that is in no mesh and asks the members that it hears on the local network, one after the other, until it is
// let into one of them (peers/ask.hpp).
//
// Two people decide. The one at the member approves; and the one here confirms that the member's screen shows the same
// code, because anybody on the network can announce itself as "kitchen" and let a newcomer into a mesh of its own. Each
// may be first.
//
// Owner: mesh_lan. Thread: the network executor. The decisions about whom to ask are in asking_table.
#pragma once

#include "admission/admission.hpp"
#include "aio/wake_up.hpp"
#include "api/asking_view.hpp"
#include "keys/keys.hpp"
#include "node/asking_observer.hpp"
#include "node/asking_table.hpp"
#include "peers/service.hpp"
#include "transport/transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace starling::node {

class newcomer {
  public:
    struct parts {
        boost::asio::any_io_executor network;
        keys::key_pair self;
        std::string name;  // as members are shown it
        asking_observer observer;
        std::shared_ptr<spdlog::logger> log;
    };

    struct admitted {
        admission::certificate certificate;
        peers::contact by;
    };

    explicit newcomer(parts with);

    /// Connects through this endpoint, which outlives the call. Once. Errors: discovery::errc, when nobody can be heard
    /// here.
    transport::awaitable<result<admitted>> run(transport::endpoint* through);

    // For api::asking_view, which see.
    const std::optional<api::own_request>& request() const { return request_; }
    result<void> confirm(std::string_view code, bool is_same);

  private:
    enum class answer { none, same, another };

    transport::awaitable<void> run_ask_loop(transport::endpoint* through, std::optional<admitted>* outcome);
    transport::awaitable<result<std::shared_ptr<transport::connection>>> connect(transport::endpoint* through,
                                                                                 asking_table::candidate whom);
    transport::awaitable<result<admission::certificate>> ask(std::shared_ptr<transport::connection> member,
                                                             asking_table::candidate whom);
    transport::awaitable<result<void>> person_here(transport::steady_time until);
    void show(const std::string& code, const std::string& member, const node_id& mesh,
              const asking_table::candidate& whom);
    void end_request();
    void conclude(const asking_table::candidate& whom, const error& why);

    parts with_;
    asking_table table_;
    aio::wake_up heard_;
    aio::wake_up answered_;
    std::optional<api::own_request> request_;         // while codes are compared
    std::shared_ptr<transport::connection> through_;  // that the request waits on
    answer answer_ = answer::none;
    bool was_shown_ = false;  // a code, to the person here, in the conversation that has just ended
};

}  // namespace starling::node
