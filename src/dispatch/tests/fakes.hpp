// Workers that do as they are told: answer, die after so many events, hang, refuse; and a directory of them. The token
// at index i of an answer is a function of (seed, i), and its text one of the token, so every worker would say the
// same.
#pragma once

#include "dispatch/dispatch.hpp"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace starling::dispatch {

using engine::awaitable;

engine::token_id token_at(std::uint64_t seed, std::size_t index);
std::string text_of(engine::token_id token);

/// Like the real engine, an answer may hold text back: `held_back` comes at its end, in a chunk of its own, or with the
/// last token when max_tokens ends it.
struct plan {
    std::optional<error> refusal;     // of generate and embed
    bool hangs_at_once = false;       // generate and embed never return
    std::optional<int> breaks_after;  // events of one stream; then `breaks_with`
    error breaks_with = fail(engine::errc::unavailable, "The engine was stopped.");
    std::optional<int> hangs_after;     // events of one stream
    std::chrono::milliseconds pace{0};  // before each event; 0: at once
    std::size_t length = 12;            // tokens; then the model ends by itself
    std::string held_back;
    bool tells_tokens = true;
    engine::stream_timing timing;
    std::int32_t cached_tokens = 0;
};

struct fake_generator final : engine::generator {
    engine::model_info info() const override;
    engine::engine_load load() const override;
    awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                      aio::call_context call) override;
    awaitable<result<engine::embedding_result>> embed(engine::embed_request request, aio::call_context call) override;

    plan how;
    std::int32_t context = 4'096;
    int open = 0;                                    // streams that are alive
    std::vector<engine::generate_request> requests;  // all that were asked, refused ones too
    std::vector<aio::call_context> calls;
    std::function<void()> on_request;
};

struct fake_directory final : directory {
    explicit fake_directory(boost::asio::any_io_executor on) : change(std::move(on)) {}

    std::vector<worker> workers(std::string_view) override { return all; }
    aio::wake_up& changed() override { return change; }
    void wanted(std::string_view model) override { asked_for.emplace_back(model); }

    /// A worker with this number as its id, and the farther away the higher it is: they are asked in this order.
    std::shared_ptr<fake_generator> add(std::uint8_t id, std::string content = "same");
    void remove(std::uint8_t id);
    worker& at(std::uint8_t id);

    std::vector<worker> all;
    aio::wake_up change;
    std::vector<std::string> asked_for;
};

node_id id_of(std::uint8_t number);

/// What a client has of an answer.
struct received {
    std::string text;
    std::vector<engine::token_id> tokens;
    std::optional<engine::finished> end;
    std::optional<error> failure;
    std::uint32_t moves = 0;
};

class dispatch_test : public testing::Test {
  public:
    /// The whole answer.
    awaitable<received> ask(engine::generate_request request, aio::call_context call = aio::call_context("req"));
    awaitable<void> pause(std::chrono::milliseconds time);

    /// Runs it to its end.
    void run(awaitable<void> test);
    received answer(engine::generate_request request, aio::call_context call = aio::call_context("req"));

    /// What every worker says to `request()`.
    received expected(std::size_t tokens = 12) const;

    dispatcher& front_desk();
    std::shared_ptr<engine::generator> front();

    boost::asio::io_context io_{1};
    fake_directory directory_{io_.get_executor()};
    options how_{.worker_wait = std::chrono::milliseconds(60), .stall_timeout = std::chrono::milliseconds(40)};
    std::vector<decision> log_;
    std::optional<dispatcher> dispatcher_;
};

engine::generate_request request(std::string text = "Go on");
engine::generate_request chat(std::vector<engine::message> messages);
engine::message say(engine::role who, std::string what);

}  // namespace starling::dispatch
