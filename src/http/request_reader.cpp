#include "http/request_reader.hpp"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>

namespace starling::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using parser = beast::http::request_parser<beast::http::string_body>;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t first_read_bytes = 1024;          // most requests begin and end in it
constexpr std::size_t body_read_bytes = 64 * 1024;      // for bodies that do not fit the first reads
constexpr std::size_t pipelined_bytes = 16 * 1024;      // kept while an answer is being made; beyond it we stop reading
constexpr std::size_t linger_bytes = 32 * 1024 * 1024;  // of an unwanted body
constexpr std::chrono::seconds linger_time{2};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Path and query of a request target in origin form ("/a?b") or absolute form ("http://host/a?b").
bool split_target(std::string_view target, request& into) {
    if (target == "*") {
        into.path = "*";
        return true;
    }
    auto url = boost::urls::parse_origin_form(target);
    if (!url) {
        url = boost::urls::parse_absolute_uri(target);
    }
    if (!url) {
        return false;
    }
    into.path = url->path();
    into.query = std::string(url->encoded_query().data(), url->encoded_query().size());
    if (into.path.empty()) {
        into.path = "/";
    }
    return into.path.find('\0') == std::string::npos;
}

bool copy_head(const parser& parsed, request& into) {
    const auto& message = parsed.get();
    into.method = std::string(message.method_string());
    for (const auto& field : message) {
        std::string name(field.name_string());
        std::transform(name.begin(), name.end(), name.begin(), lower);
        into.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    return split_target(std::string_view(message.target().data(), message.target().size()), into);
}

read_outcome broken(int status, std::string what) {
    read_outcome outcome;
    outcome.kind = read_outcome::kind::broken;
    outcome.status = status;
    outcome.what = std::move(what);
    outcome.body_is_unread = true;
    outcome.form.keep_alive = false;
    return outcome;
}

}  // namespace

class request_reader::impl {
  public:
    impl(tcp::socket socket, const limits& limits, handler& answerer)
        : stream(std::move(socket)),
          limits_(limits),
          handler_(answerer),
          buffer(limits.header_bytes + body_read_bytes) {}

    read_outcome explain(const boost::system::error_code& failed, bool anything_read) const {
        using beast::http::error;
        if (failed == error::header_limit || failed == error::buffer_overflow) {
            return broken(431, fmt::format("The request's headers are larger than {} bytes.", limits_.header_bytes));
        }
        if (failed == error::body_limit) {
            return broken(413, fmt::format("The request's body is larger than {} bytes.", limits_.body_bytes));
        }
        if (failed == error::end_of_stream || !anything_read ||
            failed.category() != beast::http::make_error_code(error::end_of_stream).category()) {
            return {};
        }
        return broken(400, fmt::format("The request is not valid HTTP/1.1: {}.", failed.message()));
    }

    beast::tcp_stream stream;
    const limits& limits_;
    handler& handler_;
    beast::flat_buffer buffer;
};

request_reader::request_reader(tcp::socket socket, const limits& limits, handler& answerer)
    : impl_(std::make_unique<impl>(std::move(socket), limits, answerer)) {
    boost::system::error_code ignored;
    impl_->stream.socket().set_option(tcp::no_delay(true), ignored);
    impl_->stream.socket().set_option(asio::socket_base::keep_alive(true), ignored);
    impl_->stream.socket().non_blocking(true, ignored);
}

request_reader::~request_reader() = default;

tcp::socket& request_reader::socket() {
    return impl_->stream.socket();
}

awaitable<bool> request_reader::wait_for_request() {
    auto& me = *impl_;
    if (me.buffer.size() > 0) {
        co_return true;
    }
    me.buffer.shrink_to_fit();  // an idle connection keeps no buffer of a past request
    me.stream.expires_after(me.limits_.idle);
    const auto [failed, read] = co_await me.stream.async_read_some(me.buffer.prepare(first_read_bytes), quietly);
    me.buffer.commit(read);
    co_return !failed;
}

awaitable<read_outcome> request_reader::read(connection_writer& writer) {
    auto& me = *impl_;
    parser parsed;
    parsed.header_limit(static_cast<std::uint32_t>(me.limits_.header_bytes));
    parsed.body_limit(me.limits_.body_bytes);
    me.stream.expires_after(me.limits_.header);
    const auto [head_failed, head_read] =
        co_await beast::http::async_read_header(me.stream, me.buffer, parsed, quietly);
    if (head_failed) {
        co_return me.explain(head_failed, parsed.got_some() || head_read > 0);
    }

    read_outcome outcome;
    outcome.form.http_1_1 = parsed.get().version() >= 11;
    outcome.form.head_only = parsed.get().method() == beast::http::verb::head;
    outcome.form.keep_alive = parsed.get().keep_alive();
    boost::system::error_code unknown;  // a client that is gone already: the ends stay empty
    outcome.request.client = me.stream.socket().remote_endpoint(unknown);
    outcome.request.server = me.stream.socket().local_endpoint(unknown);
    if (!copy_head(parsed, outcome.request)) {
        co_return broken(400, "The request target is not a valid path.");
    }
    if (outcome.form.http_1_1 && parsed.get().count(beast::http::field::host) != 1) {
        co_return broken(400, "An HTTP/1.1 request must have exactly one Host header.");
    }
    outcome.answer = me.handler_.refuse(outcome.request);
    if (outcome.answer) {
        outcome.kind = read_outcome::kind::refused;
        outcome.body_is_unread = !parsed.is_done();
        co_return outcome;
    }
    if (!parsed.is_done()) {
        if (beast::iequals(parsed.get()[beast::http::field::expect], "100-continue")) {
            writer.send_continue();
        }
        if (parsed.content_length().value_or(body_read_bytes) >= body_read_bytes) {
            me.buffer.reserve(body_read_bytes);
        }
        me.stream.expires_after(me.limits_.body);
        const auto [body_failed, body_read] = co_await beast::http::async_read(me.stream, me.buffer, parsed, quietly);
        if (body_failed) {
            co_return me.explain(body_failed, true);
        }
    }
    if (me.buffer.size() == 0) {
        me.buffer.shrink_to_fit();
    }
    outcome.kind = read_outcome::kind::request;
    outcome.request.body = std::move(parsed.get().body());
    co_return outcome;
}

awaitable<void> request_reader::watch_for_departure() {
    auto& me = *impl_;
    auto& socket = me.stream.socket();
    while (me.buffer.size() < pipelined_bytes) {
        const auto [failed] = co_await socket.async_wait(tcp::socket::wait_read, quietly);
        if (failed) {
            co_return;
        }
        // Read, not peek: with a pipelined request waiting in the socket it would stay readable for ever.
        boost::system::error_code read_failed;
        const auto read = socket.read_some(me.buffer.prepare(first_read_bytes), read_failed);
        me.buffer.commit(read);
        if (read_failed == asio::error::would_block || read_failed == asio::error::try_again) {
            continue;
        }
        if (read_failed) {
            co_return;
        }
    }
    asio::steady_timer never(socket.get_executor(), asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

awaitable<void> request_reader::linger() {
    auto& me = *impl_;
    boost::system::error_code ignored;
    me.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    me.stream.expires_after(linger_time);
    std::array<char, 4096> discarded{};
    std::size_t total = 0;
    while (total < linger_bytes) {
        const auto [failed, read] = co_await me.stream.async_read_some(asio::buffer(discarded), quietly);
        if (failed) {
            co_return;
        }
        total += read;
    }
}

void request_reader::stop_waiting() {
    impl_->stream.close();
}

}  // namespace starling::http
