// What a connection has to send, as packets: datagrams first, then a packet of each stream in turn; packets of one size
// to one address go out together.
#include "quic/callbacks.hpp"
#include "quic/connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace starling::quic {

namespace {

constexpr std::size_t max_parts = 16;             // pieces of a stream that one packet is made of
constexpr std::size_t max_packets_of_burst = 44;  // what a kernel cuts is at most 64 KiB

address address_of(const ngtcp2_addr& from) {
    address out;
    std::memcpy(out.data(), from.addr, from.addrlen);
    out.resize(from.addrlen);
    return out;
}

}  // namespace

void connection::flush() {
    if (ended_ || host_ == nullptr) {
        return;
    }
    const auto self = shared_from_this();
    if (!unsent_.empty()) {
        const auto again = std::exchange(unsent_, {});
        if (!transmit(again, unsent_packet_size_)) {
            return;
        }
    }
    const ngtcp2_tstamp now = tstamp_now();
    const std::size_t quantum = ngtcp2_conn_get_send_quantum(conn_);
    const auto room = host_->scratch();
    const std::size_t largest = std::min(ngtcp2_conn_get_max_tx_udp_payload_size(conn_), room.size());
    std::size_t used = 0;
    std::size_t packet_size = 0;
    std::size_t total = 0;
    bool open = true;
    while (open && total < quantum) {
        const ngtcp2_ssize written = write_packet(room.subspan(used, largest), now);
        if (written < 0) {
            fail_with(static_cast<int>(written));
            return;
        }
        if (written == 0) {
            break;
        }
        const auto size = static_cast<std::size_t>(written);
        const address to = address_of(sent_to_.path.remote);
        total += size;
        if (used > 0 && (size > packet_size || to != remote_)) {
            open = transmit(room.first(used), packet_size);
            std::memmove(room.data(), room.data() + used, size);
            used = 0;
        }
        remote_ = to;
        packet_size = used == 0 ? size : packet_size;
        used += size;
        if (size < packet_size || used + largest > room.size() || used / packet_size >= max_packets_of_burst) {
            open = transmit(room.first(used), packet_size) && open;
            used = 0;
        }
    }
    if (used > 0) {
        transmit(room.first(used), packet_size);
    }
    ngtcp2_conn_update_pkt_tx_time(conn_, now);
    arm_timer();
}

/// False when the network takes no more for now; what it did not take is kept.
bool connection::transmit(std::span<const std::uint8_t> packets, std::size_t packet_size) {
    if (unsent_.empty() && host_->packets().send(remote_, packets, packet_size)) {
        return true;
    }
    if (unsent_.empty()) {
        unsent_.assign(packets.begin(), packets.end());
        unsent_packet_size_ = packet_size;
    }  // else: lost, and sent again like anything that is lost
    return false;
}

/// The next packet's size; 0 when there is nothing to send, or nothing may be sent now.
ngtcp2_ssize connection::write_packet(std::span<std::uint8_t> into, ngtcp2_tstamp now) {
    ngtcp2_path_storage_zero(&sent_to_);
    for (;;) {
        auto written = datagrams_out_.empty() ? std::nullopt : write_datagram(into, now);
        if (!written) {
            written = write_stream(into, now);
        }
        if (written) {
            return *written;
        }
    }
}

/// Nothing when the packet has room for more.
std::optional<ngtcp2_ssize> connection::write_datagram(std::span<std::uint8_t> into, ngtcp2_tstamp now) {
    ngtcp2_pkt_info info{};
    int accepted = 0;
    auto& next = datagrams_out_.front();
    const ngtcp2_vec part{.base = next.data(), .len = next.size()};
    const ngtcp2_ssize written =
        ngtcp2_conn_writev_datagram(conn_, &sent_to_.path, &info, into.data(), into.size(), &accepted,
                                    NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &part, 1, now);
    if (accepted != 0) {
        datagrams_out_.pop_front();
    }
    if (written == NGTCP2_ERR_WRITE_MORE) {
        return std::nullopt;
    }
    if (written == NGTCP2_ERR_INVALID_STATE || written == NGTCP2_ERR_INVALID_ARGUMENT) {
        datagrams_out_.clear();  // before the handshake is over, or to somebody who takes none
        return std::nullopt;
    }
    return written;
}

std::optional<ngtcp2_ssize> connection::write_stream(std::span<std::uint8_t> into, ngtcp2_tstamp now) {
    const auto of = next_to_send();
    std::array<std::span<const std::uint8_t>, max_parts> parts;
    std::array<ngtcp2_vec, max_parts> vectors{};
    std::size_t count = 0;
    std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
    if (of) {
        count = of->out.unsent(parts);
        for (std::size_t i = 0; i < count; ++i) {
            vectors[i] = {.base = const_cast<std::uint8_t*>(parts[i].data()), .len = parts[i].size()};
        }
        // With as many parts as there is room for, there may be more.
        flags |= of->finish_wanted && count < max_parts ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U;
    }
    ngtcp2_pkt_info info{};
    ngtcp2_ssize sent = -1;
    const ngtcp2_ssize written = ngtcp2_conn_writev_stream(conn_, &sent_to_.path, &info, into.data(), into.size(),
                                                           &sent, flags, of ? of->id : -1, vectors.data(), count, now);
    if (of && sent >= 0) {
        after_write(of, static_cast<std::size_t>(sent), (flags & NGTCP2_WRITE_STREAM_FLAG_FIN) != 0);
    }
    switch (written) {
        case NGTCP2_ERR_WRITE_MORE: return std::nullopt;
        case NGTCP2_ERR_STREAM_DATA_BLOCKED:
            of->blocked = true;
            of->queued = false;
            to_send_.pop_front();
            return std::nullopt;
        case NGTCP2_ERR_STREAM_SHUT_WR:
        case NGTCP2_ERR_STREAM_NOT_FOUND:
            of->write_refused = true;
            of->queued = false;
            of->writable.notify();
            to_send_.pop_front();
            return std::nullopt;
        default: return written;
    }
}

std::shared_ptr<stream_state> connection::next_to_send() {
    while (!to_send_.empty()) {
        auto& first = to_send_.front();
        if (first->owner != nullptr && !first->write_refused &&
            (first->out.has_unsent() || (first->finish_wanted && !first->finish_sent))) {
            return first;
        }
        first->queued = false;
        to_send_.pop_front();
    }
    return nullptr;
}

/// Each stream gets a packet in turn.
void connection::after_write(const std::shared_ptr<stream_state>& of, std::size_t sent, bool with_finish) {
    of->out.mark_sent(sent);
    of->finish_sent = of->finish_sent || (with_finish && !of->out.has_unsent());
    to_send_.pop_front();
    if (of->out.has_unsent() || (of->finish_wanted && !of->finish_sent)) {
        to_send_.push_back(of);
    } else {
        of->queued = false;
    }
}

}  // namespace starling::quic
