#include "http/session.hpp"

#include "aio/together.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace starling::http {

namespace asio = boost::asio;

session::session(asio::ip::tcp::socket socket, const limits& limits, handler& answerer)
    : handler_(answerer), reader_(std::move(socket), limits, answerer), writer_(reader_.socket(), limits) {}

awaitable<void> session::run() {
    auto requests = run_requests();
    auto flushing = writer_.run_flush_loop();
    co_await aio::first_of(std::move(requests), std::move(flushing));
}

awaitable<void> session::run_refusal() {
    auto answer = handler_.describe_error(503, "This node has too many open connections. Try again later.");
    co_await send_and_close(std::move(answer), answer_form{});
}

void session::finish() {
    is_finishing_ = true;
    writer_.close_after_answer();
    if (is_waiting_) {
        reader_.stop_waiting();
    }
}

awaitable<void> session::run_requests() {
    while (!is_finishing_) {
        is_waiting_ = true;
        const bool there_is_one = co_await reader_.wait_for_request();
        is_waiting_ = false;
        if (!there_is_one) {
            break;
        }
        const bool may_go_on = co_await run_one_request();
        if (!may_go_on) {
            break;
        }
    }
}

awaitable<bool> session::run_one_request() {
    auto outcome = co_await reader_.read(writer_);
    outcome.form.keep_alive = outcome.form.keep_alive && !is_finishing_;
    switch (outcome.kind) {
        case read_outcome::kind::closed: co_return false;
        case read_outcome::kind::broken:
            outcome.answer = handler_.describe_error(outcome.status, outcome.what);
            co_await send_and_close(std::move(*outcome.answer), outcome.form);
            co_return false;
        case read_outcome::kind::refused:
            if (outcome.body_is_unread) {
                outcome.form.keep_alive = false;
                co_await send_and_close(std::move(*outcome.answer), outcome.form);
                co_return false;
            }
            writer_.expect(outcome.form);
            writer_.send(std::move(*outcome.answer));
            break;
        case read_outcome::kind::request: {
            writer_.expect(outcome.form);
            auto answer = serve(std::move(outcome.request));
            auto departure = reader_.watch_for_departure();
            const auto ended = co_await aio::first_of(std::move(answer), std::move(departure));
            if (ended == 1) {
                co_return false;
            }
            break;
        }
    }
    co_await writer_.flushed();
    co_return writer_.complete() && writer_.keep_alive();
}

awaitable<void> session::serve(request request) {
    try {
        co_await handler_.handle(std::move(request), writer_);
    } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) {
            throw;  // the client left, or the server stops
        }
    } catch (const std::exception&) {
        // A handler logs what it throws; here it only matters that the client is answered.
    }
    if (!writer_.started()) {
        writer_.send(handler_.describe_error(500, "The node could not finish this request."));
    }
    co_await writer_.flushed();
}

awaitable<void> session::send_and_close(response answer, answer_form form) {
    form.keep_alive = false;
    writer_.expect(form);
    writer_.send(std::move(answer));
    co_await writer_.flushed();
    co_await reader_.linger();
}

}  // namespace starling::http
