#include "upstream/answer_stream.hpp"

#include "base/node_id.hpp"
#include "upstream/deadline.hpp"

#include <utility>

namespace starling::upstream {

namespace {

using milliseconds = std::chrono::duration<double, std::milli>;

/// An answer that was not streamed: as long as the longest context, twice over.
constexpr std::size_t max_whole_answer_bytes = std::size_t{16} * 1024 * 1024;

}  // namespace

error unreachable(const error& why, const std::string& server) {
    if (why.code.category() == enum_category<engine::errc>::instance()) {
        return why;
    }
    if (why == fetch::errc::timed_out) {
        return fail(engine::errc::unavailable, server + " did not answer in time: " + why.message);
    }
    if (why == fetch::errc::cancelled) {
        return fail(engine::errc::unavailable, "The answer was given up before it was finished.");
    }
    if (why == fetch::errc::cut) {
        return fail(engine::errc::unavailable, server + " closed the connection before the answer was finished.");
    }
    return fail(engine::errc::unavailable, server + " cannot be reached: " + why.message);
}

answer_stream::answer_stream(std::unique_ptr<fetch::response> response, std::shared_ptr<usage_counters> counters,
                             server_words server, steady_time asked, steady_time deadline)
    : response_(std::move(response)),
      counters_(std::move(counters)),
      server_(server.name),
      asked_(asked),
      deadline_(deadline),
      decoder_(std::move(server)) {
    ++counters_->busy;
}

answer_stream::~answer_stream() {
    --counters_->busy;
    if (!finished_ && !failed_) {
        ++counters_->cancelled;
    }
}

awaitable<result<engine::stream_event>> answer_stream::next() {
    while (waiting_.empty()) {
        if (failed_) {
            co_return *failed_;
        }
        if (finished_) {
            co_return fail(engine::errc::internal, "This answer is finished; there is nothing more to read.");
        }
        auto got = co_await read_on();
        if (!got) {
            failed_ = got.error();
        }
    }
    engine::stream_event event = std::move(waiting_.front());
    waiting_.pop_front();
    finished_ = finished_ || std::holds_alternative<engine::finished>(event);
    co_return event;
}

engine::provenance answer_stream::from() const {
    const std::string_view node = response_->head().header("x-starling-node");
    // Any server may send any header; what is no node id is not passed on as one.
    if (!parse_node_id(node)) {
        return {};
    }
    return {.node = std::string(node), .reason = "answered through " + server_};
}

awaitable<result<void>> answer_stream::read_on() {
    if (response_->head().header("content-type").starts_with("text/event-stream")) {
        co_return co_await read_more();
    }
    co_return co_await read_whole();
}

awaitable<result<void>> answer_stream::read_more() {
    auto piece = co_await before(deadline_, response_->read());
    std::vector<engine::stream_event> events;
    result<void> decoded;
    if (!piece) {
        decoded = unreachable(piece.error(), server_);
    } else {
        decoded = piece->empty() ? decoder_.finish(events) : decoder_.feed(*piece, events);
    }
    // What came before an error is still the client's.
    keep(std::move(events));
    co_return decoded;
}

awaitable<result<void>> answer_stream::read_whole() {
    auto body = co_await before(deadline_, fetch::read_all(*response_, max_whole_answer_bytes));
    if (!body) {
        co_return unreachable(body.error(), server_);
    }
    std::vector<engine::stream_event> events;
    auto decoded = decoder_.feed_whole(*body, events);
    if (decoded) {
        decoded = decoder_.finish(events);
    }
    keep(std::move(events));
    co_return decoded;
}

void answer_stream::keep(std::vector<engine::stream_event> events) {
    const auto now = std::chrono::steady_clock::now();
    for (engine::stream_event& event : events) {
        if (!first_) {
            first_ = now;
        }
        if (const auto* chunk = std::get_if<engine::chunk>(&event)) {
            counters_->rate.count(static_cast<std::int32_t>(chunk->tokens.size()), now);
        } else {
            auto& last = std::get<engine::finished>(event);
            last.timing.prefill_ms = milliseconds(*first_ - asked_).count();
            last.timing.decode_ms = milliseconds(now - *first_).count();
            counters_->prompt_tokens += static_cast<std::uint64_t>(last.usage.prompt_tokens);
            counters_->generated_tokens += static_cast<std::uint64_t>(last.usage.completion_tokens);
            counters_->cached_tokens += static_cast<std::uint64_t>(last.usage.cached_tokens);
        }
        waiting_.push_back(std::move(event));
    }
}

}  // namespace starling::upstream
