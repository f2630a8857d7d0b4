// What the HTTP server asks of whoever answers requests.
//
// Thread: everything here happens on the server's executor. A handler's coroutine is cancelled when the client goes
// away: its next co_await throws, and what it holds is freed.
#pragma once

#include "http/types.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string_view>

namespace starling::http {

template <class T>
using awaitable = boost::asio::awaitable<T>;

/// One answer: either `send` once, or `begin`, any number of `write`, and `end`. None of them waits. What the socket
/// does not take at once is kept, and goes out together with what follows when the client reads again.
class response_writer {
  public:
    response_writer() = default;
    response_writer(const response_writer&) = delete;
    response_writer& operator=(const response_writer&) = delete;
    virtual ~response_writer() = default;

    virtual void send(response whole) = 0;

    /// Status and headers of a body whose length is not known yet. `head.body` is its first piece, if not empty.
    virtual void begin(response head) = 0;
    virtual void write(std::string_view piece) = 0;
    virtual void end() = 0;

    /// True once `send` or `begin` was called: it is too late for another status.
    virtual bool started() const = 0;

    /// True when more than limits::unsent_bytes wait for the client: await `drained` before writing more.
    virtual bool behind() const = 0;
    virtual awaitable<void> drained() = 0;
};

class handler {
  public:
    handler() = default;
    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;
    virtual ~handler() = default;

    /// Called when the headers are there and the body is not: an answer here refuses the request before its body is
    /// read. `head.body` is empty.
    virtual std::optional<response> refuse(const request& head) = 0;

    /// Answers one request. One that returns without answering, or throws before it began, is answered with a 500.
    virtual awaitable<void> handle(request request, response_writer& writer) = 0;

    /// The body of an error that the server itself found: a malformed request, a limit, a time-out.
    virtual response describe_error(int status, std::string_view what) = 0;
};

}  // namespace starling::http
