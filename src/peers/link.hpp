// One admitted connection to another member, and everything that runs on it: gossip (datagrams, and a stream for what
// is larger), the status of each side, revocations, and requests.
//
// Each of these has a stream of its own, whose first message says what it is:
//   {"type":"status"}         answered by `status_response` messages, now and whenever something has changed
//   {"type":"gossip"}         followed by messages of membership, in binary
//   {"type":"revocations", "list":[…]}
//   anything else             a request (remote)
//
// Owner: service, and the loops that run on it. Thread: the network executor. It ends when its connection does.
#pragma once

#include "admission/admission.hpp"
#include "aio/task_scope.hpp"
#include "aio/wake_up.hpp"
#include "peers/gossip.hpp"
#include "peers/handshake.hpp"
#include "peers/node_status.hpp"
#include "transport/message_stream.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace starling::peers {

/// Answers what a member asks on a stream; `first` is the message that it began with.
using request_handler =
    std::function<awaitable<void>(transport::message_stream stream, std::string first, node_id from)>;

/// What this node tells of itself, kept up by service.
struct status_feed {
    explicit status_feed(boost::asio::any_io_executor network) : changed(std::move(network)) {}

    std::string text;
    std::uint64_t version = 0;
    aio::wake_up changed;
};

struct link_hooks {
    std::function<void(const node_id& from, std::span<const std::uint8_t> message)> on_gossip;
    std::function<void(const node_id& from, std::vector<admission::revocation> heard)> on_revocations;
    std::function<void(const node_id& from)> on_status;
    request_handler serve;
};

class link : public std::enable_shared_from_this<link> {
  public:
    /// `hooks` and `feed` outlive it.
    link(boost::asio::any_io_executor network, std::shared_ptr<transport::connection> on, acquaintance who,
         const link_hooks& hooks, status_feed& feed);

    /// Starts all loops in `tasks`, which outlives it and where requests run too, and returns when the connection has
    /// ended.
    awaitable<void> run(aio::task_scope* tasks);

    /// Never waits; what does not fit is lost, as gossip allows.
    void send(wire::bytes message, message_size size);

    void tell(aio::task_scope& tasks, const std::vector<admission::revocation>& revoked);

    /// Streams on which something is asked, here or there, or may be in a moment.
    std::size_t requests() const;

    /// What the one before has heard, until the other side tells it here.
    void succeed(const link& before) { status_ = before.status_; }

    const std::shared_ptr<transport::connection>& connection() const { return on_; }
    const acquaintance& who() const { return who_; }
    const node_id& made_by(const node_id& self) const { return on_->initiated() ? self : on_->peer(); }

    /// What the other side has told last; nothing yet.
    const std::optional<node_status>& status() const { return status_; }

  private:
    awaitable<void> run_datagram_loop();
    awaitable<void> run_gossip_loop();
    awaitable<void> run_status_loop();
    awaitable<std::optional<transport::message_stream>> begin(std::string opening, std::size_t limit);
    awaitable<void> take_status(transport::message_stream stream);
    awaitable<void> answer(std::unique_ptr<transport::stream> stream);
    awaitable<result<std::string>> read_opening(transport::message_stream* from);
    awaitable<void> answer_status(transport::message_stream stream);
    awaitable<void> take_gossip(transport::message_stream stream);
    awaitable<void> tell_revocations(std::string message);
    bool ended() const { return on_->ended().has_value(); }

    std::shared_ptr<transport::connection> on_;
    acquaintance who_;
    const link_hooks& hooks_;
    status_feed& feed_;
    std::deque<wire::bytes> large_;
    aio::wake_up has_large_;
    std::optional<node_status> status_;
    std::size_t openings_ = 0;  // streams that have not said yet what they are
    aio::wake_up opening_done_;
    std::size_t own_streams_ = 0;     // for its status, and for our gossip
    std::size_t told_streams_ = 0;    // on which the other side is told of our status
    std::size_t gossip_streams_ = 0;  // of the other side
};

}  // namespace starling::peers
