// The writing half of one connection: response heads, chunked bodies, and a flush loop for what the socket did not
// take at once. Private to http.
//
// Thread: the server's executor. `write` tries the socket directly, so that a token costs one system call and no
// suspension; when the client is behind, pieces pile up here and leave together.
#pragma once

#include "http/handler.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace starling::http {

/// What of a request decides how its answer is written.
struct answer_form {
    bool http_1_1 = true;    // else no chunked coding: the end of the connection ends the body
    bool head_only = false;  // answer to HEAD
    bool keep_alive = true;
};

class connection_writer final : public response_writer {
  public:
    /// Both must outlive the writer.
    connection_writer(boost::asio::ip::tcp::socket& socket, const limits& limits);

    /// Ready for the answer to the next request.
    void expect(answer_form form);

    void send(response whole) override;
    void begin(response head) override;
    void write(std::string_view piece) override;
    void end() override;
    bool started() const override { return stage_ != stage::expecting; }
    /// On a broken connection, for ever: the handler is about to be cancelled, and has to wait for that.
    bool behind() const override { return failed_ || unsent() > limits_.unsent_bytes; }
    awaitable<void> drained() override;

    /// "100 Continue": before the answer.
    void send_continue();

    /// True when the answer is whole, and another request may follow it.
    bool complete() const { return stage_ == stage::complete; }
    bool keep_alive() const { return form_.keep_alive; }
    void close_after_answer() { form_.keep_alive = false; }

    /// Waits until everything has left, or the connection failed.
    awaitable<void> flushed();

    /// Sends what was left behind whenever the client reads again. Returns when the connection is broken, or the client
    /// took nothing for limits::write.
    awaitable<void> run_flush_loop();

  private:
    enum class stage { expecting, streaming, complete };

    std::size_t unsent() const { return pending_.size() - sent_; }
    void append_head(const response& head, bool has_length);
    void append_piece(std::string_view piece);
    void try_send();
    void fail_connection();
    awaitable<void> wait_until_writable();
    awaitable<void> wait_for_stall();

    boost::asio::ip::tcp::socket& socket_;
    const limits& limits_;
    answer_form form_;
    stage stage_ = stage::expecting;
    bool chunked_ = false;
    bool blocked_ = false;  // the socket took less than it was given
    bool failed_ = false;
    std::string pending_;
    std::size_t sent_ = 0;             // of pending_
    boost::asio::steady_timer wake_;   // cancelled when the flush loop has something to do
    boost::asio::steady_timer moved_;  // cancelled when bytes have left
};

}  // namespace starling::http
