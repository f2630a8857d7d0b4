#include "fetch/exchange.hpp"

namespace starling::fetch {

exchange::exchange(boost::asio::any_io_executor reader)
    : signal_(std::make_unique<aio::channel<bool>>(std::move(reader), 1)) {}

void exchange::wake() {
    if (signal_) {
        signal_->try_send(true);
    }
}

void exchange::set_head(response_head head) {
    const std::scoped_lock lock(mutex_);
    head_ = std::move(head);
    wake();
}

bool exchange::append(std::string_view bytes) {
    const std::scoped_lock lock(mutex_);
    if (!buffer_.empty() && buffer_.size() + bytes.size() > read_buffer_limit_bytes) {
        paused_ = true;
        return false;
    }
    buffer_.append(bytes);
    wake();
    return true;
}

void exchange::finish(std::optional<error> why) {
    const std::scoped_lock lock(mutex_);
    if (finished_) {
        return;
    }
    finished_ = true;
    failure_ = std::move(why);
    wake();
}

void exchange::detach() {
    std::unique_ptr<aio::channel<bool>> dropped;
    const std::scoped_lock lock(mutex_);
    dropped = std::move(signal_);
}

awaitable<result<response_head>> exchange::take_head() {
    for (;;) {
        {
            const std::scoped_lock lock(mutex_);
            if (head_) {
                co_return std::move(*head_);
            }
            if (finished_) {
                co_return failure_ ? *failure_ : fail(errc::cut, "the server closed the connection without an answer");
            }
        }
        const auto woken = co_await signal_->receive();
        if (!woken) {
            co_return fail(errc::cancelled, "the request was cancelled");
        }
    }
}

awaitable<result<exchange::piece>> exchange::take() {
    for (;;) {
        {
            const std::scoped_lock lock(mutex_);
            if (!buffer_.empty()) {
                piece out{std::move(buffer_), paused_};
                buffer_.clear();
                paused_ = false;
                co_return out;
            }
            if (finished_) {
                if (failure_) {
                    co_return *failure_;
                }
                co_return piece{};
            }
        }
        const auto woken = co_await signal_->receive();
        if (!woken) {
            co_return fail(errc::cancelled, "reading the answer was cancelled");
        }
    }
}

}  // namespace starling::fetch
