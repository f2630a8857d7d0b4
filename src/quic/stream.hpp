// A stream of a QUIC connection: its state, which the connection owns until both directions have ended, and the handle
// that is given out.
#pragma once

#include "aio/wake_up.hpp"
#include "quic/send_buffer.hpp"
#include "transport/transport.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace starling::quic {

class connection;

/// Bytes of one stream that wait for their acknowledgement before a writer has to wait: more than a long path needs at
/// the rates of ordinary networks, and little enough for hundreds of streams.
inline constexpr std::size_t max_held_bytes = 1 << 20;

struct stream_state {
    stream_state(connection& of, std::int64_t number, const boost::asio::any_io_executor& executor)
        : owner(&of), id(number), readable(executor), writable(executor) {}

    connection* owner;  // null once the connection has ended, or the stream has closed
    std::int64_t id;

    send_buffer out;
    bool finish_wanted = false;
    bool finish_sent = false;
    bool queued = false;         // in the connection's list of streams that have something to send
    bool blocked = false;        // by the other side's flow control
    bool write_refused = false;  // the other side reads no more

    transport::bytes in;
    std::size_t taken = 0;        // of `in`, by the reader
    std::uint64_t to_return = 0;  // bytes read whose flow-control credit was not yet returned
    bool in_finished = false;
    bool in_reset = false;

    bool given_up = false;  // its handle is gone

    aio::wake_up readable;
    aio::wake_up writable;
};

/// The handle. Its destruction gives up what is unfinished.
class stream final : public transport::stream {
  public:
    stream(std::shared_ptr<connection> of, std::shared_ptr<stream_state> state);
    ~stream() override;

    transport::awaitable<result<std::size_t>> read_some(std::span<std::uint8_t> into,
                                                        transport::steady_time deadline) override;
    transport::awaitable<result<void>> write(std::span<const std::uint8_t> from,
                                             transport::steady_time deadline) override;
    void finish() override;
    void reset() override;

  private:
    error why_ended() const;

    std::shared_ptr<connection> connection_;
    std::shared_ptr<stream_state> state_;
};

}  // namespace starling::quic
