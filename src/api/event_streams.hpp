// /api/events: what the node is doing, told to those who look at it, as it changes. Private to api.
//
// Owner: api::server. Thread: the network executor. Once a second, while somebody reads, a picture is made of what all
// readers may see; each reader has a coroutine of its own, which tells what differs from what it has told before.
#pragma once

#include "aio/wake_up.hpp"
#include "api/api.hpp"
#include "api/call.hpp"
#include "api/node_view.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>

namespace starling::api {

/// What a reader may see and wants to.
struct event_wish {
    bool may_change = false;  // also who asks to join, and with `logs` what the node logs
    bool logs = false;
};

class event_streams {
  public:
    static constexpr std::size_t max_readers = 64;  // each keeps what it has told, and a connection

    event_streams(boost::asio::any_io_executor network, const node_facts& facts, const node_view& view);
    ~event_streams();
    event_streams(const event_streams&) = delete;
    event_streams& operator=(const event_streams&) = delete;

    /// Until the client leaves or the node stops.
    boost::asio::awaitable<void> serve(call& call, event_wish wish);

    /// Ends every stream; the server that stops need not wait for them.
    void stop();

  private:
    struct picture;
    const picture& look();

    const node_facts& facts_;
    const node_view& view_;
    aio::wake_up stopped_;
    std::unique_ptr<const picture> last_look_;
    bool stopping_ = false;
    std::size_t readers_ = 0;
};

}  // namespace starling::api
