// Packets to connections: looks up whose a packet is, and what to do with one that is nobody's.
#include "quic/callbacks.hpp"
#include "quic/connection.hpp"
#include "quic/quic.hpp"
#include "quic/udp_carrier.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace starling::quic {

namespace asio = boost::asio;
using transport::awaitable;
using transport::errc;

namespace {

constexpr std::uint8_t fixed_bit = 0x40;         // RFC 9000, section 17: every QUIC packet has it
constexpr std::size_t smallest_initial = 1'200;  // bytes of a datagram that may begin something (section 14.1)
constexpr std::size_t smallest_reset = 21;       // bytes of a stateless reset (section 10.3)
constexpr std::size_t largest_reset = 43;        // looks like an ordinary short packet
constexpr std::size_t scratch_bytes = 64 << 10;  // what one send may hold
constexpr std::size_t accept_backlog = 256;      // connections that nobody has taken yet
constexpr auto retry_token_lives = std::chrono::seconds(10);
constexpr int resets_per_second = 100;  // an answer to garbage must not become a flood of its own

/// At most so many a second.
class rate_limit {
  public:
    explicit rate_limit(int per_second) : per_second_(per_second) {}

    bool take(transport::steady_time now) {
        if (now - second_began_ >= std::chrono::seconds(1)) {
            second_began_ = now;
            taken_ = 0;
        }
        return taken_++ < per_second_;
    }

  private:
    int per_second_;
    int taken_ = 0;
    transport::steady_time second_began_;
};

/// The machine of an endpoint. It lives as long as anything refers to it; the endpoint stops it.
class switchboard final : public connection_host, public packet_sink, public std::enable_shared_from_this<switchboard> {
  public:
    switchboard(asio::any_io_executor executor, std::shared_ptr<carrier> packets,
                std::shared_ptr<const credentials> self, const keys::key_pair& keys, options how)
        : executor_(std::move(executor)),
          packets_(std::move(packets)),
          self_(std::move(self)),
          how_(how),
          local_(packets_->local()),
          has_accepted_(executor_) {
        // The same after a restart, so that peers of before can be told that they are not known any more.
        constexpr std::string_view purpose = "starling: stateless resets and retry tokens";
        const auto made = keys.sign({reinterpret_cast<const std::uint8_t*>(purpose.data()), purpose.size()});
        std::copy_n(made.begin(), secret_.size(), secret_.begin());
    }

    void start() { packets_->start(*this); }

    awaitable<result<std::shared_ptr<transport::connection>>> connect(address where, node_id peer,
                                                                      transport::steady_time deadline) {
        const auto self = shared_from_this();
        if (stopped_) {
            co_return fail(errc::stopped, "This node is stopping.");
        }
        auto made = connection::to_peer(*this, self_, where, peer);
        if (!made) {
            co_return made.error();
        }
        const auto begun = *made;
        struct close_unless_kept {
            std::shared_ptr<connection> what;
            ~close_unless_kept() {
                if (what) {
                    what->close("given up");  // the caller was cancelled
                }
            }
        } guard{begun};
        begun->flush();
        auto confirmed = co_await begun->confirmed(deadline);
        if (!confirmed) {
            co_return confirmed.error();
        }
        guard.what.reset();
        std::shared_ptr<transport::connection> out = begun;
        co_return out;
    }

    awaitable<result<std::shared_ptr<transport::connection>>> accept() {
        const auto self = shared_from_this();
        for (;;) {
            if (stopped_) {
                co_return fail(errc::stopped, "This node is stopping.");
            }
            if (!accepted_.empty()) {
                std::shared_ptr<transport::connection> next = std::move(accepted_.front());
                accepted_.pop_front();
                co_return next;
            }
            co_await has_accepted_.wait_until(transport::steady_time::max());
        }
    }

    address local() const { return local_; }

    void stop() {
        if (std::exchange(stopped_, true)) {
            return;
        }
        const auto all = by_id_;
        for (const auto& [id, one] : all) {
            one->lose_host();
        }
        by_id_.clear();
        by_token_.clear();
        accepted_.clear();
        has_accepted_.notify();
        packets_->stop();
    }

    // packet_sink
    void on_packet(const address& from, std::span<const std::uint8_t> packet) override {
        if (packet.empty() || (packet[0] & fixed_bit) == 0) {
            return;
        }
        ngtcp2_version_cid about{};
        const int status = ngtcp2_pkt_decode_version_cid(&about, packet.data(), packet.size(), connection_id_bytes);
        if (status == NGTCP2_ERR_VERSION_NEGOTIATION) {
            negotiate_version(from, about, packet.size());
            return;
        }
        if (status != 0) {
            return;
        }
        const packet_key id(reinterpret_cast<const char*>(about.dcid), about.dcidlen);
        if (const auto found = by_id_.find(id); found != by_id_.end()) {
            const auto known = found->second;
            known->on_packet(from, packet);
        } else if (about.version == 0) {
            on_stray(from, about, packet);
        } else {
            on_newcomer(from, packet);
        }
    }

    void on_full_batch() override { flush_all(); }

    void on_writable() override {
        const auto all = by_id_;
        for (const auto& [id, one] : all) {
            one->flush();
        }
    }

    void on_unreachable(const address& to) override {
        std::vector<std::shared_ptr<connection>> there;
        for (const auto& [id, one] : by_id_) {
            if (one->remote() == to && std::find(there.begin(), there.end(), one) == there.end()) {
                there.push_back(one);
            }
        }
        for (const auto& one : there) {
            one->on_unreachable();
        }
    }

    // connection_host
    carrier& packets() override { return *packets_; }
    asio::any_io_executor executor() override { return executor_; }
    std::span<const std::uint8_t> reset_secret() const override { return secret_; }
    std::span<std::uint8_t> scratch() override { return scratch_; }
    void add_id(const packet_key& id, const std::shared_ptr<connection>& of) override { by_id_[id] = of; }
    void remove_id(const packet_key& id) override { by_id_.erase(id); }
    void add_reset_token(const packet_key& token, const std::shared_ptr<connection>& of) override {
        by_token_[token] = of;
    }
    void remove_reset_token(const packet_key& token) override { by_token_.erase(token); }
    void handshake_over() override { --half_open_; }

    void accepted(const std::shared_ptr<connection>& made) override {
        if (accepted_.size() < accept_backlog) {
            accepted_.push_back(made);
            has_accepted_.notify();
        } else {
            asio::post(executor_, [made] { made->close("too many connections at a time"); });
        }
    }

    void flush_soon(const std::shared_ptr<connection>& of) override {
        if (std::find(to_flush_.begin(), to_flush_.end(), of) == to_flush_.end()) {
            to_flush_.push_back(of);
        }
        if (!std::exchange(flush_posted_, true)) {
            asio::post(executor_, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) {
                    self->flush_posted_ = false;
                    self->flush_all();
                }
            });
        }
    }

  private:
    void flush_all() {
        for (const auto& one : std::exchange(to_flush_, {})) {
            one->flush();
        }
    }

    void negotiate_version(const address& to, const ngtcp2_version_cid& about, std::size_t packet_size) {
        if (packet_size < smallest_initial || !answers_to_strangers_.take(std::chrono::steady_clock::now())) {
            return;
        }
        std::array<std::uint8_t, 1> unused{};
        random_bytes(unused);
        const std::array<std::uint32_t, 1> versions{NGTCP2_PROTO_VER_V1};
        const ngtcp2_ssize size =
            ngtcp2_pkt_write_version_negotiation(scratch_.data(), scratch_.size(), unused[0], about.scid, about.scidlen,
                                                 about.dcid, about.dcidlen, versions.data(), versions.size());
        send_once(to, size);
    }

    /// A packet of a connection that is not known: either its other side tells us that it does not know it either, or
    /// we tell it that.
    void on_stray(const address& from, const ngtcp2_version_cid& about, std::span<const std::uint8_t> packet) {
        if (packet.size() < smallest_reset) {
            return;
        }
        const auto tail = packet.last(NGTCP2_STATELESS_RESET_TOKENLEN);
        const packet_key token(reinterpret_cast<const char*>(tail.data()), tail.size());
        if (const auto found = by_token_.find(token); found != by_token_.end()) {
            const auto known = found->second;
            known->on_packet(from, packet);
            return;
        }
        // Smaller than what it answers, so that two of us cannot go on for ever (RFC 9000, section 10.3.3).
        const std::size_t size = std::min(largest_reset, packet.size() - 1);
        if (size < smallest_reset || !answers_to_strangers_.take(std::chrono::steady_clock::now())) {
            return;
        }
        ngtcp2_cid id;
        ngtcp2_cid_init(&id, about.dcid, about.dcidlen);
        std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> ours{};
        if (ngtcp2_crypto_generate_stateless_reset_token(ours.data(), secret_.data(), secret_.size(), &id) != 0) {
            return;
        }
        std::array<std::uint8_t, largest_reset> noise{};
        random_bytes(noise);
        send_once(from, ngtcp2_pkt_write_stateless_reset(scratch_.data(), scratch_.size(), ours.data(), noise.data(),
                                                         size - ours.size()));
    }

    void on_newcomer(const address& from, std::span<const std::uint8_t> packet) {
        incoming asked;
        asked.from = from;
        if (stopped_ || !how_.takes_newcomers || ngtcp2_accept(&asked.header, packet.data(), packet.size()) != 0 ||
            half_open_ >= how_.half_open_limit) {
            return;
        }
        if (asked.header.tokenlen > 0) {
            asked.original = validated(asked);
        }
        if (!asked.original && half_open_ >= how_.retry_above) {
            send_retry(asked);
            return;
        }
        auto made = connection::from_peer(*this, self_, asked);
        if (!made) {
            return;
        }
        ++half_open_;
        const auto begun = *made;
        begun->on_packet(from, packet);
    }

    std::optional<ngtcp2_cid> validated(const incoming& asked) const {
        ngtcp2_cid original;
        const auto lives = static_cast<ngtcp2_duration>(std::chrono::nanoseconds(retry_token_lives).count());
        const int status = ngtcp2_crypto_verify_retry_token2(
            &original, asked.header.token, asked.header.tokenlen, secret_.data(), secret_.size(), asked.header.version,
            asked.from.data(), static_cast<ngtcp2_socklen>(asked.from.size()), &asked.header.dcid, lives, tstamp_now());
        return status == 0 ? std::optional(original) : std::nullopt;
    }

    void send_retry(const incoming& asked) {
        const auto id = random_id();
        std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token{};
        const ngtcp2_ssize size = ngtcp2_crypto_generate_retry_token2(
            token.data(), secret_.data(), secret_.size(), asked.header.version, asked.from.data(),
            static_cast<ngtcp2_socklen>(asked.from.size()), &id, &asked.header.dcid, tstamp_now());
        if (size > 0) {
            send_once(asked.from, ngtcp2_crypto_write_retry(scratch_.data(), scratch_.size(), asked.header.version,
                                                            &asked.header.scid, &id, &asked.header.dcid, token.data(),
                                                            static_cast<std::size_t>(size)));
        }
    }

    void send_once(const address& to, ngtcp2_ssize size) {
        if (size > 0) {
            const auto packet = std::span(scratch_).first(static_cast<std::size_t>(size));
            packets_->send(to, packet, packet.size());
        }
    }

    asio::any_io_executor executor_;
    std::shared_ptr<carrier> packets_;
    std::shared_ptr<const credentials> self_;
    options how_;
    address local_;
    std::array<std::uint8_t, 32> secret_{};
    std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(scratch_bytes);
    std::unordered_map<packet_key, std::shared_ptr<connection>> by_id_;
    std::unordered_map<packet_key, std::shared_ptr<connection>> by_token_;
    std::deque<std::shared_ptr<connection>> accepted_;
    std::vector<std::shared_ptr<connection>> to_flush_;
    bool flush_posted_ = false;
    bool stopped_ = false;
    std::size_t half_open_ = 0;
    rate_limit answers_to_strangers_{resets_per_second};
    aio::wake_up has_accepted_;
};

class endpoint final : public transport::endpoint {
  public:
    explicit endpoint(std::shared_ptr<switchboard> of) : of_(std::move(of)) {}
    ~endpoint() override { of_->stop(); }

    awaitable<result<std::shared_ptr<transport::connection>>> connect(address where, node_id peer,
                                                                      transport::steady_time deadline) override {
        return of_->connect(where, peer, deadline);
    }
    awaitable<result<std::shared_ptr<transport::connection>>> accept() override { return of_->accept(); }
    address local() const override { return of_->local(); }
    void stop() override { of_->stop(); }

  private:
    std::shared_ptr<switchboard> of_;
};

}  // namespace

result<std::unique_ptr<transport::endpoint>> create(asio::any_io_executor executor, std::shared_ptr<carrier> packets,
                                                    const keys::key_pair& self, options how) {
    auto shown = credentials::create(self);
    if (!shown) {
        return shown.error();
    }
    auto made = std::make_shared<switchboard>(std::move(executor), std::move(packets), std::move(*shown), self, how);
    made->start();
    return std::unique_ptr<transport::endpoint>(std::make_unique<endpoint>(std::move(made)));
}

result<std::unique_ptr<transport::endpoint>> listen(asio::any_io_executor executor, const address& bind,
                                                    const keys::key_pair& self, options how) {
    auto packets = make_udp_carrier(executor, bind);
    if (!packets) {
        return packets.error();
    }
    return create(std::move(executor), std::move(*packets), self, how);
}

library_versions versions() {
    const ngtcp2_info* quic = ngtcp2_version(0);
    const char* tls = gnutls_check_version(nullptr);
    return {.ngtcp2 = quic != nullptr ? quic->version_str : "", .gnutls = tls != nullptr ? tls : ""};
}

}  // namespace starling::quic
