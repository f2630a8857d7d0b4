#include "conversation.hpp"

#include "terminal.hpp"
#include "wait.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <utility>

namespace starling::cli {

namespace {

using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;
using stream_pointer = std::unique_ptr<engine::token_stream>;

engine::message message_of(engine::role role, std::string text) {
    engine::message out;
    out.role = role;
    out.content = std::move(text);
    return out;
}

std::uint64_t any_seed() {
    std::random_device device;
    constexpr unsigned half = 32;
    return (std::uint64_t{device()} << half) | device();
}

/// A stream lives and ends on the engine's executor.
class held_stream {
  public:
    held_stream(boost::asio::any_io_executor executor, stream_pointer stream, interrupts& keyboard)
        : executor_(std::move(executor)), stream_(std::move(stream)), keyboard_(&keyboard) {}
    held_stream(const held_stream&) = delete;
    held_stream& operator=(const held_stream&) = delete;
    ~held_stream() {
        wake_up dropped;
        boost::asio::post(executor_, [&] {
            stream_.reset();
            dropped.signal();
        });
        while (!dropped.wait(*keyboard_)) {
        }
    }

    std::optional<result<engine::stream_event>> next() { return wait_for(executor_, stream_->next(), *keyboard_); }

  private:
    boost::asio::any_io_executor executor_;
    stream_pointer stream_;
    interrupts* keyboard_;
};

constexpr std::chrono::seconds loading_pause{1};

/// A node that runs already may still be loading the model: then the answer is worth waiting for.
boost::asio::awaitable<result<stream_pointer>> open_stream(engine::generator& from, engine::generate_request request) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (bool told = false;;) {
        auto opened = co_await from.generate(request, aio::call_context());
        if (opened || opened.error() != engine::errc::loading) {
            co_return opened;
        }
        if (!std::exchange(told, true) && stderr_is_terminal()) {
            std::fputs("(the model is still loading …)\n", stderr);
        }
        timer.expires_after(loading_pause);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

}  // namespace

conversation::conversation(chat_settings settings) : settings_(std::move(settings)) {}

void conversation::clear() {
    turns_.clear();
}

void conversation::set_system(std::string text) {
    settings_.system = std::move(text);
}

engine::generate_request conversation::make_request(const std::string& model) {
    engine::chat_prompt prompt;
    if (!settings_.system.empty()) {
        prompt.messages.push_back(message_of(engine::role::system, settings_.system));
    }
    prompt.messages.insert(prompt.messages.end(), turns_.begin(), turns_.end());
    engine::generate_request request;
    request.model = model;
    request.prompt = std::move(prompt);
    request.sampling.temperature = settings_.temperature;
    request.sampling.top_p = settings_.top_p;
    request.sampling.seed = settings_.seed.value_or(any_seed());
    request.max_tokens = settings_.max_tokens;
    return request;
}

result<answer_report> conversation::ask(chat_engine& engine, const std::string& text, interrupts& keyboard,
                                        const std::function<void(shown_text)>& show) {
    turns_.push_back(message_of(engine::role::user, text));
    const auto asked = clock::now();
    answer_report report;
    std::string answer;
    std::optional<error> failed;

    auto opening = open_stream(engine.generator(), make_request(engine.model()));
    auto opened = wait_for(engine.executor(), std::move(opening), keyboard);
    if (!opened) {
        report.interrupted = true;
    } else if (!*opened) {
        failed = opened->error();
    } else {
        held_stream stream(engine.executor(), std::move(**opened), keyboard);
        for (bool more = true; more;) {
            auto event = stream.next();
            if (!event) {
                report.interrupted = true;
                break;
            }
            if (!*event) {
                failed = event->error();
                break;
            }
            if (auto* chunk = std::get_if<engine::chunk>(&**event)) {
                if (report.first_token_ms == 0.0 && (!chunk->content.empty() || !chunk->reasoning.empty())) {
                    report.first_token_ms = milliseconds(clock::now() - asked).count();
                }
                show({.text = chunk->reasoning, .reasoning = true});
                show({.text = chunk->content, .reasoning = false});
                answer += chunk->content;
                report.usage.completion_tokens += static_cast<std::int32_t>(chunk->tokens.size());
            } else {
                const auto& last = std::get<engine::finished>(**event);
                report.usage = last.usage;
                report.reason = last.reason;
                more = false;
            }
        }
    }
    report.total_ms = milliseconds(clock::now() - asked).count();
    if (answer.empty() && (failed || report.interrupted)) {
        turns_.pop_back();
    } else {
        turns_.push_back(message_of(engine::role::assistant, std::move(answer)));
    }
    return failed ? result<answer_report>(*failed) : result<answer_report>(report);
}

}  // namespace starling::cli
