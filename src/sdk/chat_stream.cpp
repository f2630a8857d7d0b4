#include "sdk/chat_stream.hpp"

#include "sdk/failures.hpp"
#include "sdk/request_codec.hpp"
#include "upstream/request_codec.hpp"
#include "upstream/usage_counters.hpp"

#include <random>
#include <utility>

namespace starling::sdk {

namespace {

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

chat_stream::impl::impl(std::shared_ptr<connection> to, std::stop_token stop)
    : to_(std::move(to)), caller_(to_->network().executor(), std::move(stop)) {}

chat_stream::impl::~impl() {
    close();
}

std::optional<error> chat_stream::impl::open(chat_request request) {
    const auto asked = std::chrono::steady_clock::now();
    deadline_ = deadline_in(request.timeout);
    auto wanted = to_engine(std::move(request), random_seed());
    if (!wanted) {
        return wanted.error();
    }
    auto answered = caller_.wait(to_->post_chat(upstream::completion_body(*wanted, wanted->model), deadline_));
    if (!answered) {
        return not_reached(answered.error(), to_->words());
    }
    if (!answered->open) {
        return refused(answered->status, answered->body, to_->words());
    }
    stream_ = std::make_unique<upstream::answer_stream>(
        std::move(answered->open), std::make_shared<upstream::usage_counters>(), to_->words(), asked, deadline_);
    return std::nullopt;
}

std::optional<delta> chat_stream::impl::next() {
    while (stream_) {
        auto event = caller_.wait(stream_->next());
        if (!event) {
            fail_with(event.error());
        } else if (auto* chunk = std::get_if<engine::chunk>(&*event)) {
            if (auto piece = built_.take(std::move(*chunk))) {
                return piece;
            }
        } else {
            built_.finish(std::get<engine::finished>(*event));
            close();
        }
    }
    return std::nullopt;
}

outcome<answer> chat_stream::impl::result() {
    while (next()) {
    }
    if (failed_) {
        return *failed_;
    }
    answer out = built_.so_far();
    out.served_by = served_by_;
    out.model = model_;
    return out;
}

void chat_stream::impl::cancel() {
    if (stream_) {
        fail_with(fail(fetch::errc::cancelled, "The answer was stopped."));
    }
}

void chat_stream::impl::fail_with(const starling::error& why) {
    close();
    answer received = built_.so_far();
    received.served_by = served_by_;
    received.model = model_;
    failed_ = cut_off(why, to_->words(), std::move(received));
}

void chat_stream::impl::close() {
    if (!stream_) {
        return;
    }
    served_by_ = stream_->from().node;
    model_ = stream_->model();
    caller_.run([this] { stream_.reset(); });
}

chat_stream::chat_stream(std::unique_ptr<impl> parts) : impl_(std::move(parts)) {}
chat_stream::chat_stream(chat_stream&&) noexcept = default;
chat_stream& chat_stream::operator=(chat_stream&&) noexcept = default;
chat_stream::~chat_stream() = default;

std::optional<delta> chat_stream::next() {
    return impl_->next();
}

outcome<answer> chat_stream::result() {
    return impl_->result();
}

}  // namespace starling::sdk
