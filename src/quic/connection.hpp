// One QUIC connection (RFC 9000, RFC 9221) on ngtcp2: feeds packets and time in, sends what comes out, and turns
// callbacks into streams and datagrams that coroutines wait for.
//
// Owner: the endpoint, for as long as packets may arrive for it; and whoever uses it. Thread: the endpoint's executor.
#pragma once

#include "quic/carrier.hpp"
#include "quic/credentials.hpp"
#include "quic/stream.hpp"
#include "quic/tls_session.hpp"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace starling::quic {

class connection;

using packet_key = std::string;  // a connection id or a reset token, to look a connection up by

packet_key key_of(const ngtcp2_cid& id);

/// What a connection needs of its endpoint.
class connection_host {
  public:
    virtual carrier& packets() = 0;
    virtual boost::asio::any_io_executor executor() = 0;
    virtual std::span<const std::uint8_t> reset_secret() const = 0;

    /// Room for a burst of packets, for the time of one call.
    virtual std::span<std::uint8_t> scratch() = 0;

    /// Packets to this id, or that end with this token, are for this connection. The token is how the other side says
    /// that it knows nothing of us any more.
    virtual void add_id(const packet_key& id, const std::shared_ptr<connection>& of) = 0;
    virtual void remove_id(const packet_key& id) = 0;
    virtual void add_reset_token(const packet_key& token, const std::shared_ptr<connection>& of) = 0;
    virtual void remove_reset_token(const packet_key& token) = 0;

    /// A peer has proven its key to us.
    virtual void accepted(const std::shared_ptr<connection>& made) = 0;

    /// A connection that a peer asked for is no longer half open: accepted, or ended before that.
    virtual void handshake_over() = 0;

    /// There is something to send at the end of this turn.
    virtual void flush_soon(const std::shared_ptr<connection>& of) = 0;

  protected:
    ~connection_host() = default;
};

/// How a connection that a packet asks for begins.
struct incoming {
    ngtcp2_pkt_hd header{};
    address from;
    std::optional<ngtcp2_cid> original;  // the id of the first try, when the address was validated by a Retry packet
};

class connection final : public transport::connection, public std::enable_shared_from_this<connection> {
  public:
    static result<std::shared_ptr<connection>> to_peer(connection_host& host,
                                                       const std::shared_ptr<const credentials>& self,
                                                       const address& where, const node_id& peer);
    static result<std::shared_ptr<connection>> from_peer(connection_host& host,
                                                         const std::shared_ptr<const credentials>& self,
                                                         const incoming& asked);
    ~connection() override;

    const node_id& peer() const override { return peer_; }
    bool initiated() const override { return !server_; }
    transport::link_facts facts() const override;
    transport::awaitable<result<std::unique_ptr<transport::stream>>> open(transport::steady_time deadline) override;
    transport::awaitable<result<std::unique_ptr<transport::stream>>> accept(transport::steady_time deadline) override;
    result<void> send_datagram(std::span<const std::uint8_t> from) override;
    transport::awaitable<result<transport::bytes>> receive_datagram(transport::steady_time deadline) override;
    void close(std::string why) override;
    const std::optional<error>& ended() const override { return ended_; }

    /// Until the other side has confirmed the handshake, or the connection has ended.
    transport::awaitable<result<void>> confirmed(transport::steady_time deadline);

    // For the endpoint.
    void on_packet(const address& from, std::span<const std::uint8_t> packet);
    void on_unreachable();
    void flush();
    const address& remote() const { return remote_; }
    void lose_host();  // the endpoint goes

    // For streams.
    void has_read(stream_state& of, std::size_t count);
    void has_written(const std::shared_ptr<stream_state>& of);
    void reset(stream_state& of);
    void give_up(stream_state& of);

  private:
    friend struct callbacks;

    connection(connection_host& host, bool server, const address& where);

    result<void> start(const std::shared_ptr<const credentials>& self);
    void end(error why);
    void fail_with(int status);
    void close_with(const ngtcp2_ccerr& why, error told);
    void linger();
    void handshake_is_over();
    void forget_ids();
    void arm_timer();
    void on_timer();
    std::shared_ptr<stream_state> add_stream(std::int64_t id);
    void close_stream(std::int64_t id);
    void allow_another(std::int64_t than);
    void watch_closely(bool yes);
    std::shared_ptr<stream_state> next_to_send();
    void after_write(const std::shared_ptr<stream_state>& of, std::size_t sent, bool with_finish);
    ngtcp2_ssize write_packet(std::span<std::uint8_t> into, ngtcp2_tstamp now);
    std::optional<ngtcp2_ssize> write_datagram(std::span<std::uint8_t> into, ngtcp2_tstamp now);
    std::optional<ngtcp2_ssize> write_stream(std::span<std::uint8_t> into, ngtcp2_tstamp now);
    bool transmit(std::span<const std::uint8_t> packets, std::size_t packet_size);

    connection_host* host_;
    bool server_;
    address local_;
    address remote_;
    node_id peer_;
    std::optional<node_id> expected_;
    tls_session tls_;
    ngtcp2_crypto_conn_ref ref_{};
    ngtcp2_conn* conn_ = nullptr;
    std::vector<packet_key> ids_;
    std::vector<packet_key> tokens_;

    std::unordered_map<std::int64_t, std::shared_ptr<stream_state>> streams_;
    std::deque<std::shared_ptr<stream_state>> to_send_;
    std::deque<std::shared_ptr<stream_state>> arrived_;
    std::deque<transport::bytes> datagrams_out_;
    std::deque<transport::bytes> datagrams_in_;
    std::uint64_t credit_ = 0;  // of the connection's flow control, not yet returned

    boost::asio::steady_timer timer_;
    ngtcp2_tstamp armed_for_ = 0;
    transport::steady_time last_heard_;
    int unreachable_hints_ = 0;
    transport::steady_time first_hint_;
    ngtcp2_path_storage sent_to_{};  // where the packet that was written last goes
    bool established_ = false;       // handshake completed (server) or confirmed (client)
    bool half_open_;
    std::vector<std::uint8_t> unsent_;  // a burst that the network would not take yet
    std::size_t unsent_packet_size_ = 0;
    std::vector<std::uint8_t> closing_packet_;
    std::uint64_t packets_since_close_ = 0;
    std::optional<error> refusal_;  // why the other side is not who it should be
    std::optional<error> ended_;

    aio::wake_up changed_;  // established, ended
    aio::wake_up may_open_;
    aio::wake_up has_arrived_;
    aio::wake_up has_datagram_;
};

}  // namespace starling::quic
