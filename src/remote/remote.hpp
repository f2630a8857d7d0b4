// A generator on another node, and the other side of it: a request goes out as one message on a stream of its own, and
// the answer comes back on it message by message. Dropping the token stream resets it, and the other side stops.
//
// Owner: node. Thread: the network executor. Called by: route (a remote_generator is a generator like any other) and
// peers (for each stream that an admitted peer opens).
#pragma once

#include "engine/engine.hpp"
#include "transport/message_stream.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace starling::remote {

using transport::awaitable;

class remote_generator : public engine::generator {
  public:
    /// What load() says from now on: the other node tells it to everyone.
    virtual void set_load(const engine::engine_load& load) = 0;
};

/// The generator of the peer on `to`, for the model that it calls `info.id`. Errors of the other side come back as they
/// are; a connection that ends, or a stream that is reset, is engine::errc::unavailable.
std::shared_ptr<remote_generator> make_generator(std::shared_ptr<transport::connection> to, engine::model_info info);

/// Which generator here answers for a model. Error: as for a client, engine::errc::unknown_model and so on.
using find_generator = std::function<result<std::shared_ptr<engine::generator>>(std::string_view model)>;

/// Answers the one request that comes on this stream. Ends when it is answered, or when the other side has gone.
awaitable<void> serve(std::unique_ptr<transport::stream> on, find_generator find);

/// The same when the request has been taken off the stream already.
awaitable<void> serve(transport::message_stream on, std::string request, find_generator find);

}  // namespace starling::remote
