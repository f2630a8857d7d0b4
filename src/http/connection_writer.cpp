#include "http/connection_writer.hpp"

#include "aio/together.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <ctime>
#include <iterator>

namespace starling::http {

namespace asio = boost::asio;

namespace {

// A buffer that grew for one large answer is given back: an idle connection must stay small.
constexpr std::size_t kept_capacity = 4 * 1024;

bool has_no_body(int status) {
    return status == 204 || status == 304 || status < 200;
}

/// RFC 9110, 5.6.7.
std::string http_date() {
    return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace

connection_writer::connection_writer(asio::ip::tcp::socket& socket, const limits& limits)
    : socket_(socket),
      limits_(limits),
      wake_(socket.get_executor(), asio::steady_timer::time_point::max()),
      moved_(socket.get_executor(), asio::steady_timer::time_point::max()) {}

void connection_writer::expect(answer_form form) {
    form_ = form;
    stage_ = stage::expecting;
    chunked_ = false;
}

void connection_writer::append_head(const response& head, bool has_length) {
    auto out = std::back_inserter(pending_);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\ndate: {}\r\n", head.status, reason_phrase(head.status), http_date());
    for (const auto& [name, value] : head.headers) {
        fmt::format_to(out, "{}: {}\r\n", name, value);
    }
    if (has_length) {
        fmt::format_to(out, "content-length: {}\r\n", head.body.size());
    }
    if (chunked_) {
        pending_ += "transfer-encoding: chunked\r\n";
    }
    if (!form_.keep_alive) {
        pending_ += "connection: close\r\n";
    } else if (!form_.http_1_1) {
        pending_ += "connection: keep-alive\r\n";
    }
    pending_ += "\r\n";
}

void connection_writer::send(response whole) {
    if (failed_ || started()) {
        return;
    }
    const bool empty = has_no_body(whole.status);
    append_head(whole, !empty);
    if (!empty && !form_.head_only) {
        pending_ += whole.body;
    }
    stage_ = stage::complete;
    try_send();
}

void connection_writer::begin(response head) {
    if (failed_ || started()) {
        return;
    }
    stage_ = stage::streaming;
    chunked_ = form_.http_1_1;
    form_.keep_alive = form_.keep_alive && chunked_;
    append_head(head, false);
    append_piece(head.body);
    try_send();
}

void connection_writer::append_piece(std::string_view piece) {
    // An empty chunk would end the body.
    if (piece.empty() || form_.head_only) {
        return;
    }
    if (chunked_) {
        fmt::format_to(std::back_inserter(pending_), "{:x}\r\n", piece.size());
    }
    pending_ += piece;
    if (chunked_) {
        pending_ += "\r\n";
    }
}

void connection_writer::write(std::string_view piece) {
    if (failed_ || stage_ != stage::streaming) {
        return;
    }
    append_piece(piece);
    try_send();
}

void connection_writer::end() {
    if (failed_ || stage_ != stage::streaming) {
        return;
    }
    if (chunked_ && !form_.head_only) {
        pending_ += "0\r\n\r\n";
    }
    stage_ = stage::complete;
    try_send();
}

void connection_writer::send_continue() {
    pending_ += "HTTP/1.1 100 Continue\r\n\r\n";
    try_send();
}

void connection_writer::try_send() {
    if (blocked_) {
        return;  // the flush loop sends it together with what came before
    }
    while (unsent() > 0) {
        boost::system::error_code failed;
        sent_ += socket_.write_some(asio::buffer(pending_.data() + sent_, unsent()), failed);
        if (failed == asio::error::would_block || failed == asio::error::try_again) {
            blocked_ = true;
            wake_.cancel();
            return;
        }
        if (failed) {
            fail_connection();
            return;
        }
    }
    pending_.clear();
    sent_ = 0;
    if (pending_.capacity() > kept_capacity) {
        pending_.shrink_to_fit();
    }
}

void connection_writer::fail_connection() {
    failed_ = true;
    blocked_ = false;
    pending_.clear();
    sent_ = 0;
    wake_.cancel();
    moved_.cancel();
}

awaitable<void> connection_writer::drained() {
    while (failed_ || unsent() > limits_.unsent_bytes / 2) {
        co_await moved_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

awaitable<void> connection_writer::flushed() {
    while (!failed_ && unsent() > 0) {
        co_await moved_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

awaitable<void> connection_writer::wait_until_writable() {
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::as_tuple(asio::use_awaitable));
}

awaitable<void> connection_writer::wait_for_stall() {
    asio::steady_timer limit(socket_.get_executor(), limits_.write);
    co_await limit.async_wait(asio::as_tuple(asio::use_awaitable));
}

awaitable<void> connection_writer::run_flush_loop() {
    while (!failed_) {
        if (!blocked_) {
            co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        auto writable = wait_until_writable();
        auto stall = wait_for_stall();
        const auto ended = co_await aio::first_of(std::move(writable), std::move(stall));
        if (ended == 1) {
            fail_connection();
            break;
        }
        blocked_ = false;
        try_send();
        moved_.cancel();
    }
}

}  // namespace starling::http
