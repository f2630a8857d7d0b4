#include "api/sinks.hpp"

#include "openai/sse.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace starling::api {

namespace asio = boost::asio;

namespace {

/// The first token is told once.
void tell(first_token_notice& notice) {
    if (notice) {
        std::exchange(notice, nullptr)();
    }
}

}  // namespace

collecting_sink::collecting_sink(std::size_t choices, bool keep_tokens, first_token_notice notice)
    : answers_(choices), keep_tokens_(keep_tokens), notice_(std::move(notice)) {}

void collecting_sink::take(std::size_t choice, engine::chunk chunk) {
    tell(notice_);
    answers_[choice].add(std::move(chunk), keep_tokens_);
}

void collecting_sink::finish(std::size_t choice, engine::finish_reason reason) {
    answers_[choice].reason = reason;
}

http::awaitable<void> collecting_sink::caught_up() {
    co_return;
}

streaming_sink::streaming_sink(answer_format& format, http::response_writer& writer, first_token_notice notice,
                               std::function<std::string(const std::string&)> name_of)
    : format_(format),
      writer_(writer),
      notice_(std::move(notice)),
      name_of_(std::move(name_of)),
      last_write_(std::chrono::steady_clock::now()) {}

void streaming_sink::flush() {
    if (!buffer_.empty()) {
        writer_.write(buffer_);
        buffer_.clear();
        last_write_ = std::chrono::steady_clock::now();
    }
}

void streaming_sink::open(std::size_t choices) {
    for (std::size_t i = 0; i < choices; ++i) {
        format_.open(buffer_, i);
    }
    flush();
}

void streaming_sink::take(std::size_t choice, engine::chunk chunk) {
    tell(notice_);
    format_.add(buffer_, choice, chunk);
    flush();
}

void streaming_sink::finish(std::size_t choice, engine::finish_reason reason) {
    format_.close(buffer_, choice, reason);
    flush();
}

void streaming_sink::moved(std::size_t choice, const engine::provenance& to) {
    format_.moved(buffer_, choice, {.node_id = to.node, .name = name_of_(to.node), .cause = to.cause});
    flush();
}

void streaming_sink::usage(const engine::token_usage& usage) {
    format_.usage(buffer_, usage);
    flush();
}

void streaming_sink::write(std::string_view event) {
    buffer_ += event;
    flush();
}

http::awaitable<void> streaming_sink::run_comment_loop(std::chrono::milliseconds every) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_at(last_write_ + every);
        co_await timer.async_wait(asio::use_awaitable);
        if (std::chrono::steady_clock::now() - last_write_ < every) {
            continue;
        }
        if (writer_.behind()) {
            last_write_ = std::chrono::steady_clock::now();  // the client has enough to read
        } else {
            write(openai::sse_comment);
        }
    }
}

}  // namespace starling::api
