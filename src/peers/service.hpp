// The mesh as this node lives in it: takes and makes connections, keeps one to each member, finds out who is alive, and
// tells and hears how everyone is.
//
// Owner: node. Thread: the network executor. Called by: node (the view, for routing and /api/peers). Requests of other
// members go to hooks.serve.
#pragma once

#include "admission/admission.hpp"
#include "peers/dial_policy.hpp"
#include "peers/gossip.hpp"
#include "peers/link.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace starling::peers {

/// More members than these have no connection to this node, and nothing is asked of them.
inline constexpr std::size_t max_links = 256;

/// Who has connected and not yet said who it is. A member says so in a round trip; where more come than these, the one
/// that has taken longest goes.
inline constexpr std::size_t max_newcomers = 1'024;

/// Places where members may be: on a local network, strangers can make up any number.
inline constexpr std::size_t max_hints = 32;
inline constexpr std::size_t max_hinted_addresses = 4;  // two interfaces, two families

/// "192.0.2.7:9338" or "[2001:db8::1]:9338". Numbers only: a record that names a host must not make us look it up.
std::optional<transport::address> parse_address(std::string_view text);

/// A member that was met before, or the one that has written the invite.
struct contact {
    node_id id;
    std::vector<std::string> addresses;
};

struct setup {
    std::unique_ptr<transport::endpoint> endpoint;
    keys::key_pair self;
    description said;  // of this node; its certificate names the mesh
    std::vector<contact> contacts;
    std::vector<admission::revocation> revoked;
    waiting_room* room = nullptr;  // for who asks to be let in; outlives the service; null: takes no requests
    std::uint64_t seed = 0;        // unpredictable
};

enum class event_kind {
    connected,
    lost,           // detail: why
    not_reached,    // a try to connect; detail: where, and why not
    refused,        // detail: why the other side, or this one, says no
    changed_state,  // detail: the new one
    revoked,        // a member is out
    self_revoked,   // this node is out
};

struct event {
    event_kind kind = event_kind::connected;
    node_id id;
    std::string name;  // empty when it is not known
    std::string detail;
};

/// Called on the network executor; must not block.
struct hooks {
    std::function<node_status()> status;  // of this node, now
    request_handler serve;
    invite_redeemer redeem;
    std::function<void(const admission::revocation& heard)> on_revocation;  // new, and worth keeping
    std::function<void()> on_changed;  // of the view: someone came, went, or told something
    std::function<void(const event&)> on_event;
    aio::task_scope::failure_sink on_bug;  // an exception that nobody expects; may be empty
};

/// A member, as this node sees it now.
struct peer_view {
    node_id id;
    description said;
    membership::member_state state = membership::member_state::alive;
    bool revoked = false;
    std::shared_ptr<transport::connection> connection;  // null when there is none
    std::optional<node_status> status;                  // as it has told last on this connection
};

class service {
  public:
    /// Error: membership::errc::payload_too_large.
    static result<std::unique_ptr<service>> create(boost::asio::any_io_executor network, setup of, hooks calls);
    ~service();
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    /// Everything runs from here on.
    void start();

    /// Says goodbye, closes all connections, and waits for all that ran here.
    awaitable<void> stop();

    /// Without this node.
    std::vector<peer_view> peers() const;

    /// Where to find the mesh again: the members that are connected, and those that were given.
    std::vector<contact> contacts() const;

    /// Ends a membership, here and everywhere. The revocation is valid.
    void revoke(const admission::revocation& by_us);
    std::vector<admission::revocation> revocations() const { return revoked_.all(); }

    /// This node's own membership was ended, as far as is known here.
    bool is_removed() const { return revoked_.revokes(self_.self.id(), self_.said.certificate.issued_s); }

    /// See revocation_list::issue_time.
    admission::unix_time_s issue_time(const node_id& subject, admission::unix_time_s now) const {
        return revoked_.issue_time(subject, now);
    }

    /// Another place where a member may be found (local discovery). A hint from anybody: it is tried and not kept, and
    /// only the last max_hints of them are.
    void add_contact(contact found);

    /// What this node tells of itself has changed: told a moment later, not at the next regular time.
    void status_changed();

    /// Loops, connections and requests that run now; goes back when what caused them has ended.
    std::size_t running_tasks() const { return tasks_.running(); }

  private:
    service(boost::asio::any_io_executor network, setup of, hooks calls);

    awaitable<void> run_accept_loop();
    awaitable<void> run_dial_loop();
    awaitable<void> run_silence_loop();
    awaitable<void> run_status_loop();
    awaitable<void> welcome(std::shared_ptr<transport::connection> newcomer);
    awaitable<void> dial(node_id whom, std::vector<std::string> addresses);
    awaitable<void> run_link(std::shared_ptr<transport::connection> on, acquaintance who);

    bool adopt(const std::shared_ptr<link>& fresh);

    /// Of two connections to one member the other one stays: this one is closed when nothing runs on it any more, so
    /// that no answer is lost to a connection that was one too many.
    awaitable<void> retire(std::shared_ptr<link> one);
    void send(const node_id& to, wire::bytes message, message_size size);
    void on_member(const membership::member_changed& what);
    void on_revocations(const node_id& from, const std::vector<admission::revocation>& heard);
    enum class refusal_by { us, them };
    void on_refusal(const node_id& whom, const error& why, refusal_by side);
    void enforce(const admission::revocation& one);
    struct candidate {
        node_id id;
        std::vector<std::string> addresses;
        dial_policy::urgency urgency;
    };
    std::vector<candidate> candidates() const;
    bool is_known(const node_id& whom) const;
    void give_up(const node_id& whom);
    introduction introduce() const;
    result<void> check(const admission::certificate& of) const;
    std::string name_of(const node_id& id) const;
    void report(event_kind kind, const node_id& id, std::string detail);
    void changed();

    boost::asio::any_io_executor network_;
    setup self_;
    hooks hooks_;
    admission::revocation_list revoked_;
    status_feed feed_;
    aio::wake_up status_wake_;
    aio::wake_up dial_wake_;
    dial_policy dials_;
    std::minstd_rand dice_;
    link_hooks link_hooks_;
    std::unique_ptr<gossip> gossip_;
    std::unordered_map<node_id, std::shared_ptr<link>> links_;
    std::unordered_map<node_id, std::shared_ptr<link>> retired_;    // one of each member at most
    std::deque<std::shared_ptr<transport::connection>> newcomers_;  // the oldest first
    std::deque<contact> hints_;                                     // the oldest first
    /// What was to be said to members that are being connected to.
    std::unordered_map<node_id, std::vector<std::pair<wire::bytes, message_size>>> waiting_;
    aio::task_scope tasks_;
    bool status_due_ = false;
    bool stopping_ = false;
};

}  // namespace starling::peers
