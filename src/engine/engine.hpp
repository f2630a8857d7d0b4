// The hinge of the design: everything above asks a `generator` for tokens and does not know whether they come from
// llama.cpp in this process, from an upstream server, from another node, or from a model split over ten.
//
// Owner: whoever composes the node. Thread: generators are called from coroutines on the network executor; they do
// their work on threads of their own and answer through bounded channels. Called by: api, and later by remote and
// pipeline, which implement the same interface over the mesh.
#pragma once

#include "aio/call_context.hpp"
#include "base/result.hpp"
#include "engine/errc.hpp"
#include "engine/types.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace starling::engine {

template <class T>
using awaitable = boost::asio::awaitable<T>;

/// One answer in the making. Dropping it cancels the work behind it: the slot is free one step later.
class token_stream {
  public:
    token_stream() = default;
    token_stream(const token_stream&) = delete;
    token_stream& operator=(const token_stream&) = delete;
    virtual ~token_stream() = default;

    /// The next event. After `finished` or an error there are no more. A consumer that does not call next() for a while
    /// holds up its own stream and no other.
    virtual awaitable<result<stream_event>> next() = 0;

    /// Tokens of the prompt, once known to the backend; 0 before.
    virtual std::int32_t prompt_tokens() const = 0;

    /// As known now: a stream that was taken over by another node says so.
    virtual provenance from() const { return {}; }

    /// How often it went on at another node after something had been told: asked at every chunk, so a number.
    virtual std::uint32_t moves() const { return 0; }
};

class generator {
  public:
    generator() = default;
    generator(const generator&) = delete;
    generator& operator=(const generator&) = delete;
    virtual ~generator() = default;

    virtual model_info info() const = 0;
    virtual engine_load load() const = 0;

    /// Queues the request. Errors that can be known at once (too long, queue full, bad grammar) are the result;
    /// later ones come through the stream.
    virtual awaitable<result<std::unique_ptr<token_stream>>> generate(generate_request request,
                                                                      aio::call_context call) = 0;

    virtual awaitable<result<embedding_result>> embed(embed_request request, aio::call_context call) = 0;
};

}  // namespace starling::engine
