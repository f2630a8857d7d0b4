// Streams and datagrams of a connection, as coroutines see them.
#include "quic/callbacks.hpp"
#include "quic/connection.hpp"

#include <algorithm>
#include <utility>

namespace starling::quic {

using transport::awaitable;
using transport::errc;

namespace {

constexpr std::size_t max_queued_datagrams = 64;          // more than that is late anyway
constexpr std::uint64_t credit_worth_telling = 64 << 10;  // bytes of flow control that are returned together

}  // namespace

awaitable<result<std::unique_ptr<transport::stream>>> connection::open(transport::steady_time deadline) {
    const auto self = shared_from_this();
    for (;;) {
        if (ended_) {
            co_return *ended_;
        }
        std::int64_t id = -1;
        const int status = ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr);
        if (status == 0) {
            std::unique_ptr<transport::stream> made = std::make_unique<stream>(self, add_stream(id));
            co_return made;
        }
        if (status != NGTCP2_ERR_STREAM_ID_BLOCKED) {
            co_return fail(errc::internal, std::string("QUIC opened no stream: ") + ngtcp2_strerror(status) + ".");
        }
        const bool in_time = co_await may_open_.wait_until(deadline);
        if (!in_time) {
            co_return fail(errc::deadline, "The other side allowed no further stream in time.");
        }
    }
}

awaitable<result<std::unique_ptr<transport::stream>>> connection::accept(transport::steady_time deadline) {
    const auto self = shared_from_this();
    while (arrived_.empty()) {
        if (ended_) {
            co_return *ended_;
        }
        const bool in_time = co_await has_arrived_.wait_until(deadline);
        if (!in_time) {
            co_return fail(errc::deadline, "The other side opened no stream in time.");
        }
    }
    std::unique_ptr<transport::stream> next = std::make_unique<stream>(self, std::move(arrived_.front()));
    arrived_.pop_front();
    co_return next;
}

result<void> connection::send_datagram(std::span<const std::uint8_t> from) {
    if (from.size() > transport::max_datagram_bytes) {
        return fail(errc::too_large, "A datagram carries at most " + std::to_string(transport::max_datagram_bytes) +
                                         " bytes, not " + std::to_string(from.size()) + ".");
    }
    if (ended_) {
        return *ended_;
    }
    if (datagrams_out_.size() < max_queued_datagrams) {
        datagrams_out_.emplace_back(from.begin(), from.end());
        host_->flush_soon(shared_from_this());
    }
    return {};
}

awaitable<result<transport::bytes>> connection::receive_datagram(transport::steady_time deadline) {
    const auto self = shared_from_this();
    while (datagrams_in_.empty()) {
        if (ended_) {
            co_return *ended_;
        }
        const bool in_time = co_await has_datagram_.wait_until(deadline);
        if (!in_time) {
            co_return fail(errc::deadline, "No datagram came in time.");
        }
    }
    transport::bytes next = std::move(datagrams_in_.front());
    datagrams_in_.pop_front();
    co_return next;
}

void connection::watch_closely(bool yes) {
    ngtcp2_conn_set_keep_alive_timeout(
        conn_, static_cast<ngtcp2_duration>(std::chrono::nanoseconds(yes ? keep_alive_busy : keep_alive).count()));
}

std::shared_ptr<stream_state> connection::add_stream(std::int64_t id) {
    const auto made = std::make_shared<stream_state>(*this, id, host_->executor());
    if (streams_.empty()) {
        watch_closely(true);
    }
    streams_.emplace(id, made);
    return made;
}

void connection::close_stream(std::int64_t id) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) {
        return;
    }
    const auto stream = std::move(found->second);
    streams_.erase(found);
    stream->owner = nullptr;
    stream->readable.notify();
    stream->writable.notify();
    if (stream->given_up) {
        allow_another(id);
    }
    if (streams_.empty()) {
        watch_closely(false);
    }
}

/// The other side may open a new stream only when its old one is forgotten here too: what waits for us is bounded.
void connection::allow_another(std::int64_t than) {
    if (!ended_ && ngtcp2_conn_is_local_stream(conn_, than) == 0) {
        ngtcp2_conn_extend_max_streams_bidi(conn_, 1);
        host_->flush_soon(shared_from_this());
    }
}

void connection::has_read(stream_state& of, std::size_t count) {
    if (of.taken == of.in.size()) {
        of.in.clear();
        of.taken = 0;
    } else if (of.taken >= credit_worth_telling) {
        of.in.erase(of.in.begin(), of.in.begin() + static_cast<std::ptrdiff_t>(of.taken));
        of.taken = 0;
    }
    if (ended_) {
        return;
    }
    credit_ += count;
    of.to_return += count;
    bool tell = false;
    if (credit_ >= credit_worth_telling) {
        ngtcp2_conn_extend_max_offset(conn_, std::exchange(credit_, 0));
        tell = true;
    }
    if (of.owner != nullptr && !of.in_finished && of.to_return >= credit_worth_telling / 2) {
        ngtcp2_conn_extend_max_stream_offset(conn_, of.id, std::exchange(of.to_return, 0));
        tell = true;
    }
    if (tell) {
        host_->flush_soon(shared_from_this());
    }
}

void connection::has_written(const std::shared_ptr<stream_state>& of) {
    if (ended_ || of->owner == nullptr || of->queued || of->blocked) {
        return;
    }
    of->queued = true;
    to_send_.push_back(of);
    host_->flush_soon(shared_from_this());
}

void connection::reset(stream_state& of) {
    if (ended_ || of.owner == nullptr) {
        return;
    }
    ngtcp2_conn_shutdown_stream(conn_, 0, of.id, 0);
    of.in_reset = true;
    of.write_refused = true;
    of.readable.notify();
    of.writable.notify();
    host_->flush_soon(shared_from_this());
}

void connection::give_up(stream_state& of) {
    of.given_up = true;
    credit_ += of.in.size() - of.taken;
    of.in = {};
    of.taken = 0;
    if (ended_) {
        return;
    }
    if (of.owner == nullptr) {
        allow_another(of.id);
        return;
    }
    if (!of.in_finished && !of.in_reset) {
        ngtcp2_conn_shutdown_stream_read(conn_, 0, of.id, 0);
    }
    if (!of.finish_wanted && !of.write_refused) {
        ngtcp2_conn_shutdown_stream_write(conn_, 0, of.id, 0);
    }
    host_->flush_soon(shared_from_this());
}

}  // namespace starling::quic
