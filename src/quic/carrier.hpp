// What carries QUIC's packets: a UDP socket (udp_carrier), and later relayed and punched paths that appear as virtual
// addresses. QUIC knows nothing of it but this. One executor thread.
#pragma once

#include "transport/transport.hpp"

#include <cstdint>
#include <span>

namespace starling::quic {

using transport::address;

/// Who gets the packets. Owner: the endpoint, which outlives the carrier's last call.
class packet_sink {
  public:
    virtual void on_packet(const address& from, std::span<const std::uint8_t> packet) = 0;

    /// Many packets have been handed over and there are more: the time to acknowledge them together. Otherwise whoever
    /// waits for what they brought comes first.
    virtual void on_full_batch() = 0;

    /// What could not be sent can be sent now.
    virtual void on_writable() = 0;

    /// The network says that nobody takes packets there. Anyone may say so: a hint, never a proof.
    virtual void on_unreachable(const address& to) = 0;

  protected:
    ~packet_sink() = default;
};

class carrier {
  public:
    carrier() = default;
    carrier(const carrier&) = delete;
    carrier& operator=(const carrier&) = delete;
    virtual ~carrier() = default;

    virtual void start(packet_sink& sink) = 0;
    virtual void stop() = 0;

    /// Sends packets of `packet_size` bytes each (the last may be shorter) that lie one after the other in `packets`.
    /// False: not now, nothing was sent; on_writable follows. A packet that the network refuses counts as sent and
    /// lost.
    virtual bool send(const address& to, std::span<const std::uint8_t> packets, std::size_t packet_size) = 0;

    virtual address local() const = 0;
};

}  // namespace starling::quic
