#include "pipeline/data_stream.hpp"

#include "wire/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace starling::pipeline {

namespace {

constexpr auto refusal_time = std::chrono::seconds(1);  // for the last word to one who may not listen any more

steady_time from_now(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

std::chrono::milliseconds time_for(std::size_t size, std::chrono::milliseconds frame_time) {
    return frame_time + std::chrono::milliseconds(1'000 * size / least_bytes_per_s);
}

error stream_error(const error& why, const char* stalled) {
    return why == transport::errc::deadline ? fail(errc::stalled, stalled) : fail(errc::lost, why.message);
}

/// The next stage reads nothing while it has as many steps as it may hold: it may have to compute one first.
constexpr int waits_for_room = 6;

constexpr const char* stopped_in_frame = "The stage before stopped in the middle of a frame.";

}  // namespace

data_reader::data_reader(transport::message_stream from) {
    auto [on, early] = from.release();
    on_ = std::move(on);
    early_ = std::move(early);
}

/// Fills `into`. The first byte of a frame may take until `first_by`; with it the time of the rest begins.
awaitable<result<void>> data_reader::fill(std::span<std::uint8_t> into, steady_time first_by, steady_time* rest_by,
                                          std::chrono::milliseconds frame_time) {
    auto deadline = first_by;
    while (!into.empty()) {
        std::size_t count = std::min(into.size(), early_.size() - early_taken_);
        if (count != 0) {
            std::copy_n(early_.begin() + static_cast<std::ptrdiff_t>(early_taken_), count, into.begin());
            early_taken_ += count;
        } else {
            auto got = co_await on_->read_some(into, deadline);
            if (!got) {
                co_return stream_error(got.error(), stopped_in_frame);
            }
            if (*got == 0) {
                co_return fail(errc::lost, "The stage before ended its stream.");
            }
            count = *got;
        }
        received_bytes_ += count;
        into = into.subspan(count);
        if (*rest_by == steady_time::max()) {
            *rest_by = from_now(frame_time);
        }
        deadline = *rest_by;
    }
    co_return result<void>();
}

awaitable<result<std::span<const std::uint8_t>>> data_reader::next(data_limits limits,
                                                                   std::chrono::milliseconds frame_time) {
    std::array<std::uint8_t, frame_length_bytes> length{};
    auto rest_by = steady_time::max();
    auto begun = co_await fill(length, steady_time::max(), &rest_by, frame_time);
    if (!begun) {
        co_return begun.error();
    }
    const auto size = read_frame_length(length, limits);
    if (!size) {
        co_return size.error();
    }
    rest_by = from_now(time_for(*size, frame_time));
    frame_.resize(*size);
    auto filled = co_await fill(frame_, rest_by, &rest_by, frame_time);
    if (!filled) {
        co_return filled.error();
    }
    co_return std::span<const std::uint8_t>(frame_);
}

awaitable<void> data_reader::refuse(stage_refused why) {
    const stage_message message(std::move(why));
    const auto frame = wire::framed(to_json(message));
    auto sent = co_await on_->write(frame, from_now(refusal_time));
    if (sent) {
        on_->finish();
    }
}

data_writer::data_writer(peer_links& links, node_id to, stage_data opening)
    : links_(links), to_(to), opening_(opening) {}

awaitable<result<void>> data_writer::open(steady_time deadline) {
    const auto link = links_.find(to_);
    if (!link) {
        co_return fail(errc::no_link, fmt::format("There is no connection to node {}….", short_name(to_)));
    }
    auto opened = co_await link->open(deadline);
    if (!opened) {
        co_return stream_error(opened.error(), "The next stage allows no further stream.");
    }
    on_ = std::move(*opened);
    const stage_message message(opening_);
    const auto frame = wire::framed(to_json(message));
    auto sent = co_await on_->write(frame, deadline);
    if (!sent) {
        co_return stream_error(sent.error(), "The next stage takes nothing.");
    }
    co_return result<void>();
}

awaitable<result<void>> data_writer::write(bytes frame, std::chrono::milliseconds frame_time) {
    const auto deadline = from_now(time_for(frame.size(), waits_for_room * frame_time));
    if (!on_) {
        auto opened = co_await open(deadline);
        if (!opened) {
            co_return opened;
        }
    }
    auto sent = co_await on_->write(frame, deadline);
    if (!sent) {
        co_return stream_error(sent.error(), "The next stage does not take a frame.");
    }
    sent_bytes_ += frame.size();
    co_return result<void>();
}

awaitable<error> data_writer::until_refused() {
    wire::frame_reader reader(max_message_bytes);
    std::array<std::uint8_t, 1'024> piece;
    for (;;) {
        auto message = reader.next();
        if (!message) {
            co_return fail(errc::malformed, message.error().message);
        }
        if (*message) {
            auto parsed = parse_stage_message(**message);
            const auto* refused = parsed ? std::get_if<stage_refused>(&*parsed) : nullptr;
            co_return refused != nullptr ? refused->why
                                         : fail(errc::malformed, "The next stage sent something else than frames.");
        }
        auto got = co_await on_->read_some(piece, steady_time::max());
        if (!got || *got == 0) {
            co_return fail(errc::lost, got ? "The next stage ended its stream." : got.error().message);
        }
        reader.push(std::span<const std::uint8_t>(piece).first(*got));
    }
}

}  // namespace starling::pipeline
