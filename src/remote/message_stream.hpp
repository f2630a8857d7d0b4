// Framed messages on a transport stream.
#pragma once

#include "transport/transport.hpp"
#include "wire/frame.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace starling::remote {

class message_stream {
  public:
    explicit message_stream(std::unique_ptr<transport::stream> on) : on_(std::move(on)) {}

    /// Errors: those of transport::stream::write.
    transport::awaitable<result<void>> send(std::string message, transport::steady_time deadline);

    /// The next message. Errors: those of transport::stream::read_some; closed, when the other side has finished;
    /// wire::errc::too_large.
    transport::awaitable<result<std::string>> receive(transport::steady_time deadline);

    void finish() { on_->finish(); }

  private:
    std::unique_ptr<transport::stream> on_;
    wire::frame_reader reader_;
};

}  // namespace starling::remote
