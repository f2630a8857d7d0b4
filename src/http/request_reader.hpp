// The reading half of one connection. The only place that includes Beast; its cost in compile time stays in one file.
// Private to http.
#pragma once

#include "http/connection_writer.hpp"
#include "http/handler.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>

namespace starling::http {

/// What became of reading a request.
struct read_outcome {
    enum class kind {
        request,  // `request` is whole
        refused,  // the handler refused it before its body was read: `answer` is to be sent
        broken,   // malformed or over a limit: `status` and `what` are to be told, and the connection closed
        closed,   // the client left, or was too slow
    };
    read_outcome::kind kind = kind::closed;
    http::request request;
    answer_form form;
    std::optional<response> answer;
    int status = 0;
    std::string what;
    bool body_is_unread = false;  // the connection cannot be used for another request
};

class request_reader {
  public:
    request_reader(boost::asio::ip::tcp::socket socket, const limits& limits, handler& handler);
    ~request_reader();
    request_reader(const request_reader&) = delete;
    request_reader& operator=(const request_reader&) = delete;

    boost::asio::ip::tcp::socket& socket();

    /// Waits for a request's first byte, for at most limits::idle. False: there will be none.
    awaitable<bool> wait_for_request();

    /// Reads one request. `writer` is used for "100 Continue" alone.
    awaitable<read_outcome> read(connection_writer& writer);

    /// Returns when the client has gone away. What it sends meanwhile (pipelined requests) is kept for `read`.
    awaitable<void> watch_for_departure();

    /// After an answer to a request that was not read to its end: says that nothing more is coming, and lets the client
    /// read the answer before the connection is reset under it.
    awaitable<void> linger();

    /// Ends a wait_for_request.
    void stop_waiting();

  private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace starling::http
