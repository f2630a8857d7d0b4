// Bytes of a stream from when they are written until the other side has acknowledged them: QUIC sends from here, and
// again what was lost, so they do not move. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace starling::quic {

class send_buffer {
  public:
    /// Copies the bytes.
    void push(std::span<const std::uint8_t> bytes);

    /// Bytes that are kept: not sent, or sent and not acknowledged.
    std::size_t held() const { return held_; }

    bool has_unsent() const { return unsent_ > 0; }

    /// The bytes to send next, as at most `out.size()` pieces; gives how many there are. They stay where they are until
    /// they are acknowledged.
    std::size_t unsent(std::span<std::span<const std::uint8_t>> out) const;

    /// The first `count` unsent bytes have been sent.
    void mark_sent(std::size_t count);

    /// The first `count` bytes that are held, all of them sent, have arrived.
    void mark_acknowledged(std::size_t count);

  private:
    static constexpr std::size_t smallest_chunk = 4'096;  // small writes share one

    std::deque<std::vector<std::uint8_t>> chunks_;
    std::size_t held_ = 0;
    std::size_t unsent_ = 0;
    std::size_t acknowledged_of_first_ = 0;
    std::size_t next_chunk_ = 0;  // where the unsent bytes begin
    std::size_t next_offset_ = 0;
};

}  // namespace starling::quic
