#include "quic/udp_carrier.hpp"

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <boost/asio/ip/v6_only.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace starling::quic {

namespace {

namespace asio = boost::asio;
using udp = asio::ip::udp;

constexpr std::size_t batch = 64;              // packets of one recvmmsg
constexpr std::size_t largest_packet = 2'048;  // more than any path of ours carries; what is larger is cut and dropped
constexpr int batches_in_a_row = 4;            // then others on the executor get their turn
constexpr int socket_buffer_bytes = 4 << 20;   // a burst of a whole window; the kernel gives what it allows

/// An IPv6 socket that takes IPv4 too sees those addresses mapped (RFC 4291, 2.5.5.2); nobody else does.
address unmapped(const address& seen) {
    if (!seen.address().is_v6() || !seen.address().to_v6().is_v4_mapped()) {
        return seen;
    }
    return {asio::ip::make_address_v4(asio::ip::v4_mapped, seen.address().to_v6()), seen.port()};
}

class udp_carrier final : public carrier, public std::enable_shared_from_this<udp_carrier> {
  public:
    explicit udp_carrier(udp::socket socket) : socket_(std::move(socket)), local_(socket_.local_endpoint()) {}

    void start(packet_sink& sink) override {
        sink_ = &sink;
        wait_readable();
    }

    void stop() override {
        sink_ = nullptr;
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

    bool send(const address& to, std::span<const std::uint8_t> packets, std::size_t packet_size) override {
        if (!socket_.is_open()) {
            return true;
        }
        const bool map = to.address().is_v4() && local_.address().is_v6();
        const address there =
            map ? address(asio::ip::make_address_v6(asio::ip::v4_mapped, to.address().to_v4()), to.port()) : to;
        if (cuts_ && packets.size() > packet_size) {
            return send_burst(there, packets, packet_size);
        }
        return send_each(there, packets, packet_size);
    }

    address local() const override { return local_; }

  private:
    /// Asio tells nothing more once the socket is closed, but for what was under way.
    template <void (udp_carrier::*Then)()>
    void wait(udp::socket::wait_type what) {
        socket_.async_wait(what, [weak = weak_from_this()](const boost::system::error_code& failed) {
            const auto self = weak.lock();
            if (!failed && self && self->sink_ != nullptr) {
                (self.get()->*Then)();
            }
        });
    }

    void wait_readable() { wait<&udp_carrier::readable>(udp::socket::wait_read); }

    void readable() {
        read_errors();
        read();
        if (sink_ != nullptr) {
            wait_readable();
        }
    }

    /// What the network has answered to packets of ours (ip(7), IP_RECVERR).
    void read_errors() {
        for (int i = 0; i < static_cast<int>(batch) && sink_ != nullptr; ++i) {
            sockaddr_storage to{};
            alignas(cmsghdr) std::array<char, 512> control{};
            std::array<char, 64> quoted{};
            iovec part{.iov_base = quoted.data(), .iov_len = quoted.size()};
            msghdr header{};
            header.msg_name = &to;
            header.msg_namelen = sizeof to;
            header.msg_iov = &part;
            header.msg_iovlen = 1;
            header.msg_control = control.data();
            header.msg_controllen = control.size();
            if (::recvmsg(socket_.native_handle(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
                return;
            }
            const cmsghdr* about = CMSG_FIRSTHDR(&header);
            if (about == nullptr || about->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) {
                continue;
            }
            sock_extended_err what{};
            std::memcpy(&what, CMSG_DATA(about), sizeof what);
            if (what.ee_errno == ECONNREFUSED) {
                sink_->on_unreachable(to_address(to, header.msg_namelen));
            }
        }
    }

    static address to_address(const sockaddr_storage& from, socklen_t size) {
        address out;
        if (size <= out.capacity()) {
            std::memcpy(out.data(), &from, size);
            out.resize(size);
        }
        return unmapped(out);
    }

    void read() {
        for (int round = 0; round < batches_in_a_row && sink_ != nullptr; ++round) {
            const int got = receive_batch();
            for (int i = 0; i < got && sink_ != nullptr; ++i) {
                const auto n = static_cast<std::size_t>(i);
                if ((headers_[n].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
                    continue;
                }
                sink_->on_packet(to_address(addresses_[n], headers_[n].msg_hdr.msg_namelen),
                                 std::span(buffer_).subspan(n * largest_packet, headers_[n].msg_len));
            }
            if (got < static_cast<int>(batch) || sink_ == nullptr) {
                return;
            }
            sink_->on_full_batch();
        }
    }

    int receive_batch() {
        for (std::size_t i = 0; i < batch; ++i) {
            parts_[i] = {.iov_base = &buffer_[i * largest_packet], .iov_len = largest_packet};
            headers_[i] = {};
            headers_[i].msg_hdr.msg_iov = &parts_[i];
            headers_[i].msg_hdr.msg_iovlen = 1;
            headers_[i].msg_hdr.msg_name = &addresses_[i];
            headers_[i].msg_hdr.msg_namelen = sizeof addresses_[i];
        }
        return ::recvmmsg(socket_.native_handle(), headers_.data(), batch, MSG_DONTWAIT, nullptr);
    }

    bool send_burst(const address& to, std::span<const std::uint8_t> packets, std::size_t packet_size) {
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> control{};
        msghdr header{};
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* how = CMSG_FIRSTHDR(&header);
        how->cmsg_level = SOL_UDP;
        how->cmsg_type = UDP_SEGMENT;
        how->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
        const auto size = static_cast<std::uint16_t>(packet_size);
        std::memcpy(CMSG_DATA(how), &size, sizeof size);
        switch (transmit(header, to, packets)) {
            case outcome::sent: return true;
            case outcome::later: return false;
            case outcome::refused: break;
        }
        if (errno == EIO || errno == EINVAL || errno == EOPNOTSUPP) {
            cuts_ = false;  // this kernel or device does not cut packets
        }
        return send_each(to, packets, packet_size);
    }

    bool send_each(const address& to, std::span<const std::uint8_t> packets, std::size_t packet_size) {
        while (!packets.empty()) {
            const auto one = packets.first(std::min(packet_size, packets.size()));
            msghdr header{};
            if (transmit(header, to, one) == outcome::later) {
                return false;  // those before it arrive twice at most, which QUIC ignores
            }
            packets = packets.subspan(one.size());
        }
        return true;
    }

    enum class outcome { sent, later, refused };

    outcome transmit(msghdr& header, const address& to, std::span<const std::uint8_t> packets) {
        iovec part{.iov_base = const_cast<std::uint8_t*>(packets.data()), .iov_len = packets.size()};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_name = const_cast<sockaddr*>(to.data());
        header.msg_namelen = static_cast<socklen_t>(to.size());
        if (::sendmsg(socket_.native_handle(), &header, MSG_DONTWAIT) >= 0) {
            return outcome::sent;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
            return outcome::refused;
        }
        wait_writable();
        return outcome::later;
    }

    void wait_writable() {
        if (!waiting_to_write_) {
            waiting_to_write_ = true;
            wait<&udp_carrier::writable>(udp::socket::wait_write);
        }
    }

    void writable() {
        waiting_to_write_ = false;
        sink_->on_writable();
    }

    udp::socket socket_;
    address local_;
    packet_sink* sink_ = nullptr;
    bool cuts_ = true;
    bool waiting_to_write_ = false;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(batch * largest_packet);
    std::array<mmsghdr, batch> headers_{};
    std::array<iovec, batch> parts_{};
    std::array<sockaddr_storage, batch> addresses_{};
};

void set(udp::socket& socket, int level, int name, int value) {
    // Each of these makes things better where the system allows it, and none is needed.
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

}  // namespace

result<std::shared_ptr<carrier>> make_udp_carrier(asio::any_io_executor executor, const address& bind) {
    udp::socket socket(std::move(executor));
    boost::system::error_code failed;
    socket.open(bind.protocol(), failed);
    if (!failed && bind.address().is_v6()) {
        socket.set_option(asio::ip::v6_only(!bind.address().is_unspecified()), failed);
    }
    if (!failed) {
        socket.bind(bind, failed);
    }
    if (!failed) {
        socket.non_blocking(true, failed);
    }
    if (failed) {
        return fail(transport::errc::cannot_listen,
                    fmt::format("UDP port {} on {} cannot be used for peers ({}); choose another with --peer-port "
                                "(0 picks a free one).",
                                bind.port(), bind.address().to_string(), failed.message()));
    }
    set(socket, SOL_SOCKET, SO_RCVBUF, socket_buffer_bytes);
    set(socket, SOL_SOCKET, SO_SNDBUF, socket_buffer_bytes);
    if (bind.address().is_v4()) {
        set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        set(socket, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        set(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        set(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
    return std::shared_ptr<carrier>(std::make_shared<udp_carrier>(std::move(socket)));
}

}  // namespace starling::quic
