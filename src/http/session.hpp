// One connection: requests are read and answered one after the other until either side has had enough. Private to http.
#pragma once

#include "http/connection_writer.hpp"
#include "http/request_reader.hpp"

namespace starling::http {

class session {
  public:
    session(boost::asio::ip::tcp::socket socket, const limits& limits, handler& handler);

    /// Until the connection ends.
    awaitable<void> run();

    /// Tells a client that there are too many, and ends.
    awaitable<void> run_refusal();

    /// No request after the one under way; at once where there is none.
    void finish();

  private:
    awaitable<void> run_requests();
    awaitable<bool> run_one_request();
    awaitable<void> serve(request request);
    awaitable<void> send_and_close(response answer, answer_form form);

    handler& handler_;
    request_reader reader_;
    connection_writer writer_;
    bool is_waiting_ = false;  // for a request
    bool is_finishing_ = false;
};

}  // namespace starling::http
