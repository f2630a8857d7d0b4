// How nodes reach each other: an endpoint makes and takes connections to peers whose key is proven; a connection
// carries streams of bytes, and datagrams that may be lost.
//
// The interfaces belong to the mesh (peers, remote, pipeline); `quic` implements them over UDP and `memory_network` in
// this process. Everything happens on one executor thread. Calls that wait take a deadline and end with errc::deadline;
// a cancelled caller stops waiting at once. Errors say what happened to whom.
//
// A peer is who has the key; whether it may do anything here is not known yet (see admission).
#pragma once

#include "base/node_id.hpp"
#include "base/result.hpp"
#include "transport/errc.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace starling::transport {

template <class T>
using awaitable = boost::asio::awaitable<T>;
using address = boost::asio::ip::udp::endpoint;
using steady_time = std::chrono::steady_clock::time_point;
using bytes = std::vector<std::uint8_t>;

/// Largest datagram that every connection carries, in bytes: QUIC's smallest packet (1,200) without its own overhead.
inline constexpr std::size_t max_datagram_bytes = 1'150;

/// Two directions of bytes, in order. Owner: whoever opened or accepted it; one coroutine reads and one writes.
/// Dropping it gives up what is unfinished: the other side sees a reset.
class stream {
  public:
    stream() = default;
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    virtual ~stream() = default;

    /// At least one byte into `into`, which outlives the call; 0: the other side has finished.
    /// Errors: reset, closed, deadline.
    virtual awaitable<result<std::size_t>> read_some(std::span<std::uint8_t> into, steady_time deadline) = 0;

    /// Takes all of `from`, which outlives the call, as soon as there is room for it; it is sent as soon as the
    /// other side has room. Errors: reset, closed, deadline (some of it may have been taken).
    virtual awaitable<result<void>> write(std::span<const std::uint8_t> from, steady_time deadline) = 0;

    /// Nothing more will be written; what was written still arrives.
    virtual void finish() = 0;

    /// Gives both directions up, now.
    virtual void reset() = 0;
};

struct link_facts {
    std::chrono::nanoseconds round_trip{};  // smoothed
    steady_time last_heard;                 // anything at all from the other side; a live one is heard every second
    address remote;
    std::size_t streams = 0;  // of both sides, that one of them has not given up or ended yet
};

class connection {
  public:
    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    virtual ~connection() = default;

    /// Who has proven to be on the other side.
    virtual const node_id& peer() const = 0;

    /// True on the side that called connect().
    virtual bool initiated() const = 0;

    virtual link_facts facts() const = 0;

    /// Waits for the other side to allow one more stream when there are too many. Errors: closed, deadline.
    virtual awaitable<result<std::unique_ptr<stream>>> open(steady_time deadline) = 0;

    /// The next stream that the other side opened. Errors: closed, deadline.
    virtual awaitable<result<std::unique_ptr<stream>>> accept(steady_time deadline) = 0;

    /// At most max_datagram_bytes. May be lost, doubled, and may arrive in another order; lost at once where too much
    /// waits to be sent. Errors: too_large, closed.
    virtual result<void> send_datagram(std::span<const std::uint8_t> from) = 0;

    /// The next datagram that arrived; the oldest are dropped when nobody takes them. Errors: closed, deadline.
    virtual awaitable<result<bytes>> receive_datagram(steady_time deadline) = 0;

    /// Ends the connection and all its streams; the other side is told `why` (a word or two). Safe to repeat.
    virtual void close(std::string why) = 0;

    /// Why the connection ended; nothing while it lives.
    virtual const std::optional<error>& ended() const = 0;
};

class endpoint {
  public:
    endpoint() = default;
    endpoint(const endpoint&) = delete;
    endpoint& operator=(const endpoint&) = delete;
    virtual ~endpoint() = default;

    /// A connection to the owner of the key `peer` at `where`. It counts only when the other side has confirmed it.
    /// Errors: unreachable, wrong_peer, deadline, stopped.
    virtual awaitable<result<std::shared_ptr<connection>>> connect(address where, node_id peer,
                                                                   steady_time deadline) = 0;

    /// The next connection that a peer made. Error: stopped.
    virtual awaitable<result<std::shared_ptr<connection>>> accept() = 0;

    /// Where this endpoint listens, with the port that was picked.
    virtual address local() const = 0;

    /// Closes every connection, tells their peers, and ends every wait with errc::stopped or closed.
    virtual void stop() = 0;
};

}  // namespace starling::transport
