// Messages on a stream of bytes: [4-byte big-endian length][payload]. Pure, fuzzed.
#pragma once

#include "base/result.hpp"
#include "wire/byte_codec.hpp"
#include "wire/errc.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace starling::wire {

/// Of a payload: a long conversation with its tools, as JSON, and not more.
inline constexpr std::size_t max_frame_bytes = 16 << 20;

/// `payload` with its length before it; at most max_frame_bytes.
bytes framed(std::string_view payload);

/// Gathers frames from pieces of a stream, however it was cut. Memory grows only with what has really arrived.
class frame_reader {
  public:
    /// `limit`: largest payload that is taken here, at most max_frame_bytes.
    explicit frame_reader(std::size_t limit = max_frame_bytes) : limit_(limit) {}

    /// From the next frame on.
    void take_at_most(std::size_t limit) { limit_ = limit; }

    void push(std::span<const std::uint8_t> piece);

    /// The next payload; nothing when it is not there yet. Error: errc::too_large, after which the stream is useless.
    result<std::optional<std::string>> next();

    /// What has arrived behind the last payload: for a stream that goes on in another form.
    bytes take_rest();

    /// The stream ended here: was it between two frames?
    bool at_boundary() const { return held_.size() == taken_; }

  private:
    std::size_t limit_;
    bytes held_;
    std::size_t taken_ = 0;
};

}  // namespace starling::wire
