#include "fetch/fetch.hpp"

#include "fetch/driver.hpp"

#include <boost/asio/this_coro.hpp>

namespace starling::fetch {

namespace {

class curl_response final : public response {
  public:
    curl_response(std::shared_ptr<driver> owner, std::shared_ptr<exchange> in, transfer_id id)
        : driver_(std::move(owner)), in_(std::move(in)), id_(id) {}

    ~curl_response() override {
        in_->detach();
        driver_->cancel(id_);
    }

    awaitable<result<void>> wait_for_head() {
        result<response_head> head = co_await in_->take_head();
        if (!head) {
            co_return head.error();
        }
        head_ = std::move(*head);
        co_return result<void>();
    }

    const response_head& head() const override { return head_; }

    awaitable<result<std::string>> read() override {
        result<exchange::piece> next = co_await in_->take();
        if (!next) {
            co_return next.error();
        }
        if (next->resume) {
            driver_->resume(id_);
        }
        co_return std::move(next->bytes);
    }

  private:
    const std::shared_ptr<driver> driver_;
    const std::shared_ptr<exchange> in_;
    const transfer_id id_;
    response_head head_;
};

class curl_client final : public client {
  public:
    explicit curl_client(std::shared_ptr<driver> owned) : driver_(std::move(owned)) {}
    ~curl_client() override { driver_->stop(); }

    awaitable<result<std::unique_ptr<response>>> open(request what) override {
        auto executor = co_await boost::asio::this_coro::executor;
        auto out = std::make_shared<exchange>(executor);
        const transfer_id id = driver_->next_id();
        auto made = transfer::create(id, std::move(what), out);
        if (!made) {
            co_return made.error();
        }
        driver_->start(std::move(*made));
        // From here on, leaving this function by any way cancels the transfer.
        auto opened = std::make_unique<curl_response>(driver_, out, id);
        result<void> head = co_await opened->wait_for_head();
        if (!head) {
            co_return head.error();
        }
        std::unique_ptr<response> answer = std::move(opened);
        co_return answer;
    }

  private:
    const std::shared_ptr<driver> driver_;
};

awaitable<result<std::string>> read_rest(response* from, std::size_t limit_bytes) {
    std::string all;
    for (;;) {
        result<std::string> piece = co_await from->read();
        if (!piece) {
            co_return piece.error();
        }
        if (piece->empty()) {
            co_return all;
        }
        if (all.size() + piece->size() > limit_bytes) {
            co_return fail(errc::too_large, shown_url(from->head().final_url) + " sent more than the " +
                                                std::to_string(limit_bytes) + " bytes that were expected");
        }
        all += *piece;
    }
}

}  // namespace

result<std::unique_ptr<client>> client::create() {
    auto made = driver::create();
    if (!made) {
        return made.error();
    }
    return std::unique_ptr<client>(std::make_unique<curl_client>(std::move(*made)));
}

awaitable<result<std::string>> read_all(response& from, std::size_t limit_bytes) {
    return read_rest(&from, limit_bytes);
}

}  // namespace starling::fetch
