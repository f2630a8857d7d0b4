// The life of a connection: handshake, packets in, time, the end.
#include "quic/connection.hpp"

#include "quic/callbacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace starling::quic {

namespace asio = boost::asio;
using transport::awaitable;
using transport::errc;

namespace {

constexpr int hints_when_connecting = 2;  // "nobody there", from the network, until a connection attempt is given up
constexpr int hints_when_connected = 3;   // and a connection that lived
constexpr auto hints_span = std::chrono::milliseconds(60);  // which a burst of packets does not reach at once
constexpr ngtcp2_tstamp timer_step =
    NGTCP2_MILLISECONDS;             // pacing says "now" after every packet, and with none to come
constexpr unsigned linger_ptos = 3;  // RFC 9000, section 10.2

ngtcp2_addr addr_of(const address& of) {
    return {.addr = const_cast<ngtcp2_sockaddr*>(of.data()), .addrlen = static_cast<ngtcp2_socklen>(of.size())};
}

std::string text_of(const address& of) {
    return fmt::format("{}, UDP port {}", of.address().to_string(), of.port());
}

}  // namespace

packet_key key_of(const ngtcp2_cid& id) {
    return {reinterpret_cast<const char*>(id.data), id.datalen};
}

connection::connection(connection_host& host, bool server, const address& where)
    : host_(&host),
      server_(server),
      local_(host.packets().local()),
      remote_(where),
      timer_(host.executor()),
      last_heard_(std::chrono::steady_clock::now()),
      half_open_(server),
      changed_(host.executor()),
      may_open_(host.executor()),
      has_arrived_(host.executor()),
      has_datagram_(host.executor()) {
    ref_.user_data = this;
    ref_.get_conn = [](ngtcp2_crypto_conn_ref* ref) { return static_cast<connection*>(ref->user_data)->conn_; };
}

connection::~connection() {
    if (conn_ != nullptr) {
        ngtcp2_conn_del(conn_);
    }
}

result<void> connection::start(const std::shared_ptr<const credentials>& self) {
    if (auto started = tls_.start(server_, self, ref_); !started) {
        return started;
    }
    ngtcp2_conn_set_tls_native_handle(conn_, tls_.handle());
    watch_closely(false);
    return {};
}

result<std::shared_ptr<connection>> connection::to_peer(connection_host& host,
                                                        const std::shared_ptr<const credentials>& self,
                                                        const address& where, const node_id& peer) {
    std::shared_ptr<connection> made(new connection(host, false, where));
    made->expected_ = peer;
    made->peer_ = peer;
    const ngtcp2_path path{.local = addr_of(made->local_), .remote = addr_of(made->remote_), .user_data = nullptr};
    const auto there = random_id();
    const auto here = random_id();
    const auto settings = settings_at(tstamp_now());
    const auto params = parameters();
    if (const int status = ngtcp2_conn_client_new(&made->conn_, &there, &here, &path, NGTCP2_PROTO_VER_V1,
                                                  &all_callbacks(), &settings, &params, nullptr, made.get());
        status != 0) {
        return fail(errc::internal, std::string("QUIC began no connection: ") + ngtcp2_strerror(status) + ".");
    }
    if (auto started = made->start(self); !started) {
        return started.error();
    }
    made->ids_.push_back(key_of(here));
    host.add_id(made->ids_.back(), made);
    return made;
}

result<std::shared_ptr<connection>> connection::from_peer(connection_host& host,
                                                          const std::shared_ptr<const credentials>& self,
                                                          const incoming& asked) {
    std::shared_ptr<connection> made(new connection(host, true, asked.from));
    const ngtcp2_path path{.local = addr_of(made->local_), .remote = addr_of(made->remote_), .user_data = nullptr};
    const auto here = random_id();
    auto settings = settings_at(tstamp_now());
    auto params = parameters();
    const auto secret = host.reset_secret();
    if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, secret.data(), secret.size(),
                                                     &here) != 0) {
        return fail(errc::internal, "QUIC made no token for resets.");
    }
    params.stateless_reset_token_present = 1;
    params.original_dcid_present = 1;
    params.original_dcid = asked.original.value_or(asked.header.dcid);
    if (asked.original) {
        params.retry_scid = asked.header.dcid;
        params.retry_scid_present = 1;
        settings.token = asked.header.token;
        settings.tokenlen = asked.header.tokenlen;
        settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
    }
    if (const int status = ngtcp2_conn_server_new(&made->conn_, &asked.header.scid, &here, &path, asked.header.version,
                                                  &all_callbacks(), &settings, &params, nullptr, made.get());
        status != 0) {
        return fail(errc::internal, std::string("QUIC took no connection: ") + ngtcp2_strerror(status) + ".");
    }
    if (auto started = made->start(self); !started) {
        return started.error();
    }
    for (const auto& id : {here, asked.header.dcid}) {
        made->ids_.push_back(key_of(id));
        host.add_id(made->ids_.back(), made);
    }
    return made;
}

awaitable<result<void>> connection::confirmed(transport::steady_time deadline) {
    while (!established_ && !ended_) {
        const bool in_time = co_await changed_.wait_until(deadline);
        if (!in_time) {
            close("took too long");
            co_return fail(errc::deadline, "No answer in time from " + text_of(remote_) + ".");
        }
    }
    if (ended_) {
        co_return *ended_;
    }
    co_return result<void>();
}

transport::link_facts connection::facts() const {
    transport::link_facts out;
    out.remote = remote_;
    out.last_heard = last_heard_;
    out.streams = streams_.size();
    if (conn_ != nullptr) {
        ngtcp2_conn_info info{};
        ngtcp2_conn_get_conn_info(conn_, &info);
        out.round_trip = std::chrono::nanoseconds(info.smoothed_rtt);
    }
    return out;
}

void connection::on_packet(const address& from, std::span<const std::uint8_t> packet) {
    if (ended_) {
        // Says again that it is over, ever less often (RFC 9000, section 10.2.1).
        ++packets_since_close_;
        if (!closing_packet_.empty() && (packets_since_close_ & (packets_since_close_ - 1)) == 0) {
            host_->packets().send(remote_, closing_packet_, closing_packet_.size());
        }
        return;
    }
    const auto self = shared_from_this();
    const ngtcp2_path path{.local = addr_of(local_), .remote = addr_of(from), .user_data = nullptr};
    const ngtcp2_pkt_info info{};
    last_heard_ = std::chrono::steady_clock::now();
    if (const int status = ngtcp2_conn_read_pkt(conn_, &path, &info, packet.data(), packet.size(), tstamp(last_heard_));
        status != 0) {
        fail_with(status);
        return;
    }
    host_->flush_soon(self);
}

void connection::on_unreachable() {
    if (ended_) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (unreachable_hints_ == 0 || last_heard_ > first_hint_) {
        unreachable_hints_ = 0;
        first_hint_ = now;
    }
    ++unreachable_hints_;
    const bool lived = established_;
    if (unreachable_hints_ < (lived ? hints_when_connected : hints_when_connecting) ||
        (lived && now - first_hint_ < hints_span)) {
        return;
    }
    end(fail(lived ? errc::closed : errc::unreachable, "Nobody listens at " + text_of(remote_) + "."));
    forget_ids();
}

/// Almost every packet puts the expiry off; a timer that is set already may go off too early, which costs less than to
/// set it with every packet.
void connection::arm_timer() {
    ngtcp2_tstamp at = ngtcp2_conn_get_expiry(conn_);
    if (to_send_.empty() && datagrams_out_.empty()) {
        at = std::max(at, tstamp_now() + timer_step);
    }
    if (at == UINT64_MAX || (armed_for_ != 0 && armed_for_ <= at)) {
        return;
    }
    armed_for_ = at;
    timer_.expires_at(transport::steady_time(std::chrono::nanoseconds(at)));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& stopped) {
        const auto self = std::static_pointer_cast<connection>(weak.lock());
        if (!stopped && self) {
            self->on_timer();
        }
    });
}

void connection::on_timer() {
    armed_for_ = 0;
    if (ended_) {
        forget_ids();
        return;
    }
    const ngtcp2_tstamp now = tstamp_now();
    if (now < ngtcp2_conn_get_expiry(conn_)) {
        arm_timer();
        return;
    }
    if (const int status = ngtcp2_conn_handle_expiry(conn_, now); status != 0) {
        fail_with(status);
        return;
    }
    flush();
}

/// What ngtcp2 could not go on after.
void connection::fail_with(int status) {
    if (status == NGTCP2_ERR_DRAINING) {
        const ngtcp2_ccerr* why = ngtcp2_conn_get_ccerr(conn_);
        const std::string reason(reinterpret_cast<const char*>(why->reason), why->reasonlen);
        const bool gone = why->type != NGTCP2_CCERR_TYPE_APPLICATION && why->error_code == 0 && reason.empty();
        end(fail(errc::closed,
                 gone ? "The other side knows nothing of this connection any more."
                      : fmt::format("The other side closed the connection ({}).",
                                    reason.empty() ? fmt::format("error {:#x}", why->error_code) : reason)));
        linger();
        return;
    }
    if (status == NGTCP2_ERR_IDLE_CLOSE || status == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
        end(established_ ? fail(errc::closed, fmt::format("Nothing was heard from {} for {} s.", text_of(remote_),
                                                          idle_timeout.count()))
                         : fail(errc::unreachable, "No answer from " + text_of(remote_) + "."));
        forget_ids();
        return;
    }
    if (status == NGTCP2_ERR_DROP_CONN || status == NGTCP2_ERR_RETRY) {
        end(fail(errc::closed, "The connection came to nothing."));
        forget_ids();
        return;
    }
    ngtcp2_ccerr why;
    if (status == NGTCP2_ERR_CRYPTO) {
        ngtcp2_ccerr_set_tls_alert(&why, ngtcp2_conn_get_tls_alert(conn_), nullptr, 0);
    } else {
        ngtcp2_ccerr_set_liberr(&why, status, nullptr, 0);
    }
    close_with(why, refusal_.value_or(fail(errc::closed, fmt::format("The connection to {} failed: {}.",
                                                                     text_of(remote_), ngtcp2_strerror(status)))));
}

void connection::close(std::string why) {
    if (ended_) {
        return;
    }
    const auto self = shared_from_this();
    ngtcp2_ccerr told;
    ngtcp2_ccerr_set_application_error(&told, 0, reinterpret_cast<const std::uint8_t*>(why.data()), why.size());
    close_with(told, fail(errc::closed, "The connection was closed here (" + why + ")."));
}

void connection::close_with(const ngtcp2_ccerr& why, error told) {
    std::vector<std::uint8_t> packet(NGTCP2_MAX_UDP_PAYLOAD_SIZE);
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    const ngtcp2_ssize size =
        ngtcp2_conn_write_connection_close(conn_, &path.path, &info, packet.data(), packet.size(), &why, tstamp_now());
    end(std::move(told));
    if (size <= 0) {
        forget_ids();
        return;
    }
    packet.resize(static_cast<std::size_t>(size));
    closing_packet_ = std::move(packet);
    host_->packets().send(remote_, closing_packet_, closing_packet_.size());
    linger();
}

void connection::end(error why) {
    ended_ = std::move(why);
    handshake_is_over();
    for (auto& [id, stream] : streams_) {
        stream->owner = nullptr;
        stream->readable.notify();
        stream->writable.notify();
    }
    streams_.clear();
    to_send_.clear();
    datagrams_out_.clear();
    unsent_.clear();
    timer_.cancel();
    changed_.notify();
    may_open_.notify();
    has_arrived_.notify();
    has_datagram_.notify();
}

/// Packets that are still on their way find somebody who knows that it is over.
void connection::linger() {
    const auto time = std::chrono::nanoseconds(linger_ptos * ngtcp2_conn_get_pto(conn_));
    timer_.expires_after(std::chrono::duration_cast<transport::steady_time::duration>(time));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
        if (!stopped) {
            self->on_timer();
        }
    });
}

void connection::forget_ids() {
    if (host_ == nullptr) {
        return;
    }
    for (const packet_key& id : std::exchange(ids_, {})) {
        host_->remove_id(id);
    }
    for (const packet_key& token : std::exchange(tokens_, {})) {
        host_->remove_reset_token(token);
    }
}

void connection::handshake_is_over() {
    if (std::exchange(half_open_, false) && host_ != nullptr) {
        host_->handshake_over();
    }
}

void connection::lose_host() {
    const auto self = shared_from_this();
    close("stopping");
    timer_.cancel();
    forget_ids();
    host_ = nullptr;
}

}  // namespace starling::quic
