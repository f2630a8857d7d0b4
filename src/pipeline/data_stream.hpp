// Frames of data_codec on a transport stream, in the one direction that a data stream has. What comes the other way is
// at most one stage_refused: why the receiver does not want it.
//
// Owner: whoever sends or receives. Thread: the network executor.
#pragma once

#include "pipeline/data_codec.hpp"
#include "pipeline/stage_messages.hpp"
#include "pipeline/types.hpp"
#include "transport/message_stream.hpp"

#include <chrono>
#include <memory>
#include <span>

namespace starling::pipeline {

/// Time for a frame that has begun, before its size counts.
inline constexpr auto default_frame_time = std::chrono::seconds(5);
/// Slower than this a stream does not carry a pipeline, in bytes per second: a frame has as much more time.
inline constexpr std::size_t least_bytes_per_s = 64 << 10;

class data_reader {
  public:
    /// The messages that it began with are over.
    explicit data_reader(transport::message_stream from);

    /// Waits for a frame for as long as it takes, and for the rest of one that has begun until its time is over. The
    /// bytes, without their length, stay until the next call. Errors: lost; stalled; too_large and malformed (the
    /// length alone is wrong).
    awaitable<result<std::span<const std::uint8_t>>> next(data_limits limits, std::chrono::milliseconds frame_time);

    /// Says why nothing more is wanted, and ends.
    awaitable<void> refuse(stage_refused why);

    std::uint64_t received_bytes() const { return received_bytes_; }

  private:
    awaitable<result<void>> fill(std::span<std::uint8_t> into, steady_time first_by, steady_time* rest_by,
                                 std::chrono::milliseconds frame_time);

    std::unique_ptr<transport::stream> on_;
    bytes early_;  // came with the opening message
    std::size_t early_taken_ = 0;
    bytes frame_;
    std::uint64_t received_bytes_ = 0;
};

class data_writer {
  public:
    /// `links` outlives it.
    data_writer(peer_links& links, node_id to, stage_data opening);

    /// The first frame opens the stream. `frame` has its length before it. Errors: no_link, lost, stalled (not taken
    /// in time).
    awaitable<result<void>> write(bytes frame, std::chrono::milliseconds frame_time);

    /// Once something was written: waits until the other side ends the stream, and gives why.
    awaitable<error> until_refused();

    bool is_open() const { return on_ != nullptr; }
    const node_id& to() const { return to_; }
    std::uint64_t sent_bytes() const { return sent_bytes_; }

  private:
    awaitable<result<void>> open(steady_time deadline);

    peer_links& links_;
    node_id to_;
    stage_data opening_;
    std::unique_ptr<transport::stream> on_;
    std::uint64_t sent_bytes_ = 0;
};

}  // namespace starling::pipeline
