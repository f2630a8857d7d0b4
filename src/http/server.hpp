// An HTTP/1.1 server: listener, sessions with keep-alive, limits and time-outs, and a graceful stop.
//
// Owner: api::server. Thread: the executor it is given, which must run on one thread. It knows nothing of JSON; every
// request goes to one `handler`. RFC 9110, RFC 9112.
#pragma once

#include "base/result.hpp"
#include "http/errc.hpp"
#include "http/handler.hpp"
#include "http/types.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace starling::http {

class server {
  public:
    /// `handler` must outlive the server.
    server(boost::asio::any_io_executor executor, limits limits, handler& handler);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds, listens and begins to accept; gives the port (asked for 0: a free one).
    /// Errors: bad_address, port_in_use, not_permitted, cannot_listen.
    result<std::uint16_t> start(const std::string& address, std::uint16_t port);

    /// Accepts no more, lets answers under way finish within limits::drain, cancels the rest, and waits until every
    /// session has ended.
    awaitable<void> stop();

    std::size_t connections() const;

  private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace starling::http
