#include "quic/callbacks.hpp"

#include <gnutls/crypto.h>

#include <algorithm>

namespace starling::quic {

namespace {

constexpr std::uint64_t stream_window = 256 << 10;        // bytes that may be on their way to us on a new stream
constexpr std::uint64_t connection_window = 2 << 20;      // and on a new connection
constexpr std::uint64_t largest_stream_window = 8 << 20;  // what a stream that is read fast may grow to
constexpr std::uint64_t largest_connection_window = 16 << 20;
constexpr std::uint64_t datagram_frame_bytes = transport::max_datagram_bytes + 16;  // with type and length
constexpr std::size_t largest_udp_payload = 1'452;                                  // an Ethernet frame over IPv6
constexpr auto handshake_timeout = std::chrono::seconds(10);
constexpr std::size_t max_waiting_datagrams = 256;  // for a reader

constexpr ngtcp2_duration duration(std::chrono::nanoseconds time) {
    return static_cast<ngtcp2_duration>(time.count());
}

void random_callback(std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx*) {
    random_bytes({out, size});
}

}  // namespace

/// Members are ngtcp2's callbacks of the same name; `user` is the connection.
struct callbacks {
    static connection& of(void* user) { return *static_cast<connection*>(user); }

    /// Null when it has closed.
    static std::shared_ptr<stream_state> stream_of(void* user, std::int64_t id) {
        const auto& all = of(user).streams_;
        const auto found = all.find(id);
        return found == all.end() ? nullptr : found->second;
    }

    static int new_connection_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size, void* user) {
        connection& self = of(user);
        id->datalen = size;
        random_bytes({id->data, size});
        const auto secret = self.host_->reset_secret();
        if (ngtcp2_crypto_generate_stateless_reset_token(token, secret.data(), secret.size(), id) != 0) {
            return NGTCP2_ERR_CALLBACK_FAILURE;
        }
        self.ids_.push_back(key_of(*id));
        self.host_->add_id(self.ids_.back(), self.shared_from_this());
        return 0;
    }

    static int remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user) {
        connection& self = of(user);
        const auto key = key_of(*id);
        std::erase(self.ids_, key);
        self.host_->remove_id(key);
        return 0;
    }

    static int peer_id_status(ngtcp2_conn*, ngtcp2_connection_id_status_type type, std::uint64_t, const ngtcp2_cid*,
                              const std::uint8_t* token, void* user) {
        if (token == nullptr) {
            return 0;
        }
        connection& self = of(user);
        const packet_key key(reinterpret_cast<const char*>(token), NGTCP2_STATELESS_RESET_TOKENLEN);
        if (type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE) {
            self.tokens_.push_back(key);
            self.host_->add_reset_token(key, self.shared_from_this());
        } else {
            std::erase(self.tokens_, key);
            self.host_->remove_reset_token(key);
        }
        return 0;
    }

    static int handshake_completed(ngtcp2_conn*, void* user) {
        connection& self = of(user);
        const auto shown = peer_of(self.tls_.handle());
        if (!shown || (self.expected_ && *self.expected_ != *shown)) {
            self.refusal_ = fail(transport::errc::wrong_peer,
                                 shown ? "Another node (" + short_name(*shown) + "…) answers at that address."
                                       : std::string("The other side has shown no key."));
            return NGTCP2_ERR_CALLBACK_FAILURE;
        }
        self.peer_ = *shown;
        if (self.server_) {
            self.established_ = true;
            self.handshake_is_over();
            self.host_->accepted(self.shared_from_this());
        }
        return 0;
    }

    static int handshake_confirmed(ngtcp2_conn*, void* user) {
        connection& self = of(user);
        self.established_ = true;
        self.changed_.notify();
        return 0;
    }

    static int stream_open(ngtcp2_conn*, std::int64_t id, void* user) {
        connection& self = of(user);
        self.arrived_.push_back(self.add_stream(id));
        self.has_arrived_.notify();
        return 0;
    }

    static int recv_stream_data(ngtcp2_conn*, std::uint32_t flags, std::int64_t id, std::uint64_t,
                                const std::uint8_t* data, std::size_t size, void* user, void*) {
        const auto stream = stream_of(user, id);
        if (!stream || stream->given_up) {
            of(user).credit_ += size;
            return 0;
        }
        stream->in.insert(stream->in.end(), data, data + size);
        stream->in_finished = stream->in_finished || (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
        stream->readable.notify();
        return 0;
    }

    static int acked_stream_data_offset(ngtcp2_conn*, std::int64_t id, std::uint64_t, std::uint64_t size, void* user,
                                        void*) {
        if (const auto stream = stream_of(user, id)) {
            stream->out.mark_acknowledged(static_cast<std::size_t>(size));
            stream->writable.notify();
        }
        return 0;
    }

    static int extend_max_stream_data(ngtcp2_conn*, std::int64_t id, std::uint64_t, void* user, void*) {
        if (const auto stream = stream_of(user, id); stream && stream->blocked) {
            stream->blocked = false;
            of(user).has_written(stream);
        }
        return 0;
    }

    static int stream_reset(ngtcp2_conn*, std::int64_t id, std::uint64_t, std::uint64_t, void* user, void*) {
        if (const auto stream = stream_of(user, id)) {
            stream->in_reset = true;
            stream->readable.notify();
        }
        return 0;
    }

    static int stream_close(ngtcp2_conn*, std::uint32_t, std::int64_t id, std::uint64_t, void* user, void*) {
        of(user).close_stream(id);
        return 0;
    }

    static int may_open_more(ngtcp2_conn*, std::uint64_t, void* user) {
        of(user).may_open_.notify();
        return 0;
    }

    static int recv_datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size, void* user) {
        connection& self = of(user);
        if (self.datagrams_in_.size() >= max_waiting_datagrams) {
            self.datagrams_in_.pop_front();
        }
        self.datagrams_in_.emplace_back(data, data + size);
        self.has_datagram_.notify();
        return 0;
    }
};

const ngtcp2_callbacks& all_callbacks() {
    static const ngtcp2_callbacks table = [] {
        ngtcp2_callbacks t{};
        t.client_initial = ngtcp2_crypto_client_initial_cb;
        t.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
        t.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
        t.encrypt = ngtcp2_crypto_encrypt_cb;
        t.decrypt = ngtcp2_crypto_decrypt_cb;
        t.hp_mask = ngtcp2_crypto_hp_mask_cb;
        t.recv_retry = ngtcp2_crypto_recv_retry_cb;
        t.update_key = ngtcp2_crypto_update_key_cb;
        t.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
        t.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
        t.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
        t.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
        t.rand = random_callback;
        t.get_new_connection_id = callbacks::new_connection_id;
        t.remove_connection_id = callbacks::remove_connection_id;
        t.dcid_status = callbacks::peer_id_status;
        t.handshake_completed = callbacks::handshake_completed;
        t.handshake_confirmed = callbacks::handshake_confirmed;
        t.stream_open = callbacks::stream_open;
        t.recv_stream_data = callbacks::recv_stream_data;
        t.acked_stream_data_offset = callbacks::acked_stream_data_offset;
        t.extend_max_stream_data = callbacks::extend_max_stream_data;
        t.stream_reset = callbacks::stream_reset;
        t.stream_close = callbacks::stream_close;
        t.extend_max_local_streams_bidi = callbacks::may_open_more;
        t.recv_datagram = callbacks::recv_datagram;
        return t;
    }();
    return table;
}

ngtcp2_settings settings_at(ngtcp2_tstamp now) {
    ngtcp2_settings settings;
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now;
    settings.max_tx_udp_payload_size = largest_udp_payload;
    settings.handshake_timeout = duration(handshake_timeout);
    settings.max_window = largest_connection_window;
    settings.max_stream_window = largest_stream_window;
    return settings;
}

ngtcp2_transport_params parameters() {
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_stream_data_bidi_local = stream_window;
    params.initial_max_stream_data_bidi_remote = stream_window;
    params.initial_max_data = connection_window;
    params.initial_max_streams_bidi = max_open_streams;
    params.initial_max_streams_uni = 0;
    params.max_idle_timeout = duration(idle_timeout);
    params.max_datagram_frame_size = datagram_frame_bytes;
    params.grease_quic_bit = 0;  // the fixed bit tells QUIC from other packets on this socket
    return params;
}

ngtcp2_tstamp tstamp(transport::steady_time time) {
    return duration(time.time_since_epoch());
}

ngtcp2_tstamp tstamp_now() {
    return tstamp(std::chrono::steady_clock::now());
}

void random_bytes(std::span<std::uint8_t> out) {
    gnutls_rnd(GNUTLS_RND_RANDOM, out.data(), out.size());
}

ngtcp2_cid random_id() {
    ngtcp2_cid id{};
    id.datalen = connection_id_bytes;
    random_bytes({id.data, id.datalen});
    return id;
}

}  // namespace starling::quic
