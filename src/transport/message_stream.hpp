// Framed messages on a transport stream.
#pragma once

#include "transport/transport.hpp"
#include "wire/frame.hpp"

#include <memory>
#include <string>
#include <utility>

namespace starling::transport {

class message_stream {
  public:
    /// `limit`: largest message that is taken here.
    explicit message_stream(std::unique_ptr<stream> on, std::size_t limit = wire::max_frame_bytes)
        : on_(std::move(on)), reader_(limit) {}

    /// Errors: those of stream::write.
    awaitable<result<void>> send(std::string message, steady_time deadline);

    /// The next message. Errors: those of stream::read_some; closed, when the other side has finished;
    /// wire::errc::too_large.
    awaitable<result<std::string>> receive(steady_time deadline);

    /// Largest message that is taken from now on.
    void take_at_most(std::size_t limit) { reader_.take_at_most(limit); }

    void finish() { on_->finish(); }

    /// The end of the messages: the stream itself, and what has arrived of it behind the last one.
    std::pair<std::unique_ptr<stream>, bytes> release() {
        auto rest = reader_.take_rest();
        return {std::move(on_), std::move(rest)};
    }

  private:
    std::unique_ptr<stream> on_;
    wire::frame_reader reader_;
};

}  // namespace starling::transport
