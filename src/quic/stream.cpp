#include "quic/stream.hpp"

#include "quic/connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace starling::quic {

using transport::awaitable;
using transport::errc;

stream::stream(std::shared_ptr<connection> of, std::shared_ptr<stream_state> state)
    : connection_(std::move(of)), state_(std::move(state)) {}

stream::~stream() {
    connection_->give_up(*state_);
}

error stream::why_ended() const {
    if (const auto& ended = connection_->ended()) {
        return *ended;
    }
    return fail(errc::reset, "The other side gave the stream up.");
}

awaitable<result<std::size_t>> stream::read_some(std::span<std::uint8_t> into, transport::steady_time deadline) {
    const auto state = state_;
    while (state->taken == state->in.size()) {
        if (state->in_finished) {
            co_return std::size_t{0};
        }
        if (state->in_reset || state->owner == nullptr) {
            co_return why_ended();
        }
        const bool in_time = co_await state->readable.wait_until(deadline);
        if (!in_time) {
            co_return fail(errc::deadline, "Nothing came in time.");
        }
    }
    const std::size_t count = std::min(into.size(), state->in.size() - state->taken);
    std::memcpy(into.data(), state->in.data() + state->taken, count);
    state->taken += count;
    connection_->has_read(*state, count);
    co_return count;
}

awaitable<result<void>> stream::write(std::span<const std::uint8_t> from, transport::steady_time deadline) {
    const auto state = state_;
    while (!from.empty()) {
        if (state->owner == nullptr || state->write_refused || state->finish_wanted) {
            co_return why_ended();
        }
        const std::size_t room = max_held_bytes - std::min(max_held_bytes, state->out.held());
        if (room == 0) {
            const bool in_time = co_await state->writable.wait_until(deadline);
            if (!in_time) {
                co_return fail(errc::deadline, "The other side did not read in time.");
            }
            continue;
        }
        const auto now = from.first(std::min(room, from.size()));
        state->out.push(now);
        from = from.subspan(now.size());
        connection_->has_written(state);
    }
    co_return result<void>();
}

void stream::finish() {
    if (!state_->finish_wanted) {
        state_->finish_wanted = true;
        connection_->has_written(state_);
    }
}

void stream::reset() {
    connection_->reset(*state_);
}

}  // namespace starling::quic
