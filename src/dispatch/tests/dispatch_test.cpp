#include "dispatch/dispatch.hpp"

#include "dispatch/prompt_chain.hpp"
#include "dispatch/tests/fakes.hpp"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>

#include <array>

namespace starling::dispatch {

using engine::errc;
using std::chrono::milliseconds;

TEST_F(dispatch_test, TheNearestAnswers) {
    const auto far = directory_.add(9);
    const auto near = directory_.add(1);
    const auto got = answer(request());
    EXPECT_EQ(got.text, expected().text);
    EXPECT_TRUE(far->requests.empty());
    ASSERT_EQ(log_.size(), 1U);
    EXPECT_EQ(log_[0].request_id, "req");
    EXPECT_EQ(log_[0].model, "m");
    EXPECT_EQ(log_[0].node, to_string(id_of(1)));
    EXPECT_FALSE(log_[0].here);
    EXPECT_EQ(log_[0].resumed_at, -1);
    EXPECT_TRUE(log_[0].cause.empty());
    EXPECT_EQ(near->calls.at(0).request_id, "req");
}

TEST_F(dispatch_test, ThisNodeIsAWorkerLikeAnyOther) {
    directory_.add(1)->how.breaks_after = 3;
    directory_.at(1).view.here = true;
    directory_.add(2);
    EXPECT_EQ(answer(request()).text, expected().text);
    EXPECT_TRUE(log_.at(0).here);
    EXPECT_FALSE(log_.at(1).here);
    EXPECT_NE(log_.at(1).cause.find("this node: "), std::string::npos);
    EXPECT_EQ(front_desk().count().routed_here, 1U);
    EXPECT_EQ(front_desk().count().routed_to_peers, 0U);
}

TEST_F(dispatch_test, WhoRefusesIsLeftForTheNext) {
    for (const auto code :
         {errc::queue_full, errc::overloaded, errc::loading, errc::unavailable, errc::unknown_model}) {
        directory_.all.clear();
        const auto first = directory_.add(1);
        first->how.refusal = fail(code, "Not now.");
        directory_.add(2);
        EXPECT_EQ(answer(request()).text, expected().text);
        EXPECT_EQ(first->requests.size(), 1U);
        EXPECT_EQ(log_.back().cause, "node-1: Not now");
    }
    EXPECT_EQ(front_desk().count().moved_on, 5U);
    EXPECT_EQ(front_desk().count().routed_to_peers, 5U);
    EXPECT_EQ(front_desk().count().resumed, 0U);
}

TEST_F(dispatch_test, WhatTheRequestIsToBlameForComesBackAtOnce) {
    for (const auto code :
         {errc::invalid_request, errc::unsupported, errc::internal, errc::upstream_error, errc::deadline}) {
        directory_.all.clear();
        directory_.add(1)->how.refusal = fail(code, "It cannot be done.");
        const auto second = directory_.add(2);
        const auto got = answer(request());
        ASSERT_TRUE(got.failure);
        EXPECT_TRUE(*got.failure == code);
        EXPECT_EQ(got.failure->message, "It cannot be done.");
        EXPECT_TRUE(second->requests.empty());
    }
}

TEST_F(dispatch_test, ALongPromptIsForThoseWithMoreRoom) {
    const auto small = directory_.add(1);
    small->how.refusal = fail(errc::prompt_too_long, "5000 tokens are too many for 4096.");
    const auto as_small = directory_.add(2);
    auto got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_EQ(got.failure->message, "5000 tokens are too many for 4096.");
    EXPECT_TRUE(as_small->requests.empty());
    EXPECT_TRUE(directory_.asked_for.empty());

    const auto large = directory_.add(3);
    large->context = 8'192;
    EXPECT_EQ(answer(request()).text, expected().text);
    large->how.refusal = fail(errc::queue_full, "Full.");
    got = answer(request());
    EXPECT_TRUE(got.failure && *got.failure == errc::queue_full) << "later it may go";
}

TEST_F(dispatch_test, WhenEverybodyIsFullThatIsTheAnswer) {
    directory_.add(1)->how.refusal = fail(errc::overloaded, "Overloaded.");
    directory_.add(2)->how.refusal = fail(errc::queue_full, "8 requests are waiting.");
    directory_.add(3)->how.refusal = fail(errc::unavailable, "Gone.");
    directory_.add(4)->how.refusal = fail(errc::overloaded, "Overloaded.");
    how_.worker_wait = std::chrono::seconds(30);
    const auto began = std::chrono::steady_clock::now();
    const auto got = answer(request());
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(500));
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::queue_full);
    EXPECT_EQ(got.failure->message, "8 requests are waiting.");
    EXPECT_TRUE(directory_.asked_for.empty());
}

TEST_F(dispatch_test, WhatWaitingCannotChangeIsTheAnswer) {
    how_.worker_wait = std::chrono::seconds(30);
    for (const auto code : {errc::unavailable, errc::unknown_model}) {
        directory_.all.clear();
        directory_.add(1)->how.refusal = fail(code, "The server behind this node says no.");
        directory_.at(1).view.here = true;
        const auto began = std::chrono::steady_clock::now();
        const auto got = answer(request());
        EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(500));
        ASSERT_TRUE(got.failure);
        EXPECT_EQ(got.failure->message, "The server behind this node says no.");
    }
}

TEST_F(dispatch_test, WithoutAnybodyItWaits) {
    how_.worker_wait = std::chrono::seconds(30);
    run([](dispatch_test& t) -> awaitable<void> {
        boost::asio::co_spawn(
            t.io_,
            [](dispatch_test& of) -> awaitable<void> {
                co_await of.pause(milliseconds(10));
                of.directory_.add(1)->how.refusal = fail(errc::loading, "40 % loaded.");
                co_await of.pause(milliseconds(10));
                of.directory_.add(2);
            }(t),
            [](std::exception_ptr) {});
        const auto began = std::chrono::steady_clock::now();
        auto got = co_await t.ask(request());
        EXPECT_EQ(got.text, t.expected().text);
        EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(800)) << "told, not found out";
    }(*this));
    EXPECT_EQ(directory_.asked_for, std::vector<std::string>{"m"});
}

TEST_F(dispatch_test, AWorkerThatRecoversUnannouncedIsFoundToo) {
    const auto only = directory_.add(1);
    only->how.refusal = fail(errc::unavailable, "Gone.");
    only->on_request = [&] {
        if (only->requests.size() == 2) {
            only->how.refusal.reset();
        }
    };
    how_.worker_wait = std::chrono::seconds(30);
    EXPECT_EQ(answer(request()).text, expected().text);
    EXPECT_EQ(only->requests.size(), 2U);
}

TEST_F(dispatch_test, NobodyCame) {
    auto got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::unavailable);
    EXPECT_EQ(got.failure->message,
              "No node that serves 'm' took the request within 0.1 s; start one with this model, or send the request "
              "again later.");
    directory_.add(1)->how.refusal = fail(errc::unavailable, "The connection was lost.");
    got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_NE(got.failure->message.find("(the last one asked was node-1: The connection was lost)"), std::string::npos)
        << got.failure->message;
    EXPECT_EQ(front_desk().count().lost, 0U) << "nothing had begun";
}

TEST_F(dispatch_test, TheWaitEndsWithTheDeadline) {
    how_.worker_wait = std::chrono::seconds(30);
    const auto began = std::chrono::steady_clock::now();
    const auto got = answer(request(), aio::call_context("a", began + milliseconds(30)));
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::deadline);
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(500));
}

TEST_F(dispatch_test, AWorkerThatDoesNotEvenSayYesIsLeft) {
    const auto silent = directory_.add(1);
    silent->how.hangs_at_once = true;
    directory_.add(2);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    EXPECT_EQ(answer(request(), aio::call_context("a", deadline)).text, expected().text);
    EXPECT_EQ(silent->calls.at(0).deadline, deadline) << "the time of the whole call";
    EXPECT_NE(log_.back().cause.find("hung"), std::string::npos);
}

TEST_F(dispatch_test, ABurstIsSharedOut) {
    how_.stall_timeout = std::chrono::seconds(5);
    std::array<std::shared_ptr<fake_generator>, 4> workers;
    for (std::uint8_t id = 0; id < 4; ++id) {
        workers[id] = directory_.add(id);
        workers[id]->how.pace = milliseconds(2);
        directory_.at(id).view.round_trip = milliseconds(1);
    }
    run([](dispatch_test& t) -> awaitable<void> {
        for (int i = 0; i < 16; ++i) {
            boost::asio::co_spawn(t.io_, t.ask(request()), [](std::exception_ptr, const received&) {});
        }
        co_return;
    }(*this));
    for (const auto& one : workers) {
        EXPECT_EQ(one->requests.size(), 4U);
    }
}

TEST_F(dispatch_test, WhatHasEndedIsNotCounted) {
    directory_.add(1);
    directory_.add(2);
    directory_.at(1).view.here = true;
    for (int i = 0; i < 10; ++i) {
        EXPECT_FALSE(answer(request()).failure);
        EXPECT_TRUE(log_.back().here) << log_.back().reason;
        EXPECT_NE(log_.back().reason.find("0 of 4 slots busy"), std::string::npos);
    }
}

TEST_F(dispatch_test, AConversationStaysWhereItIs) {
    const std::string text(4'000, 'x');
    std::vector<engine::message> talk{say(engine::role::system, text), say(engine::role::user, "a")};
    for (std::uint8_t id = 1; id <= 6; ++id) {
        directory_.add(id);
        directory_.at(id).view.round_trip = {};
    }
    const auto first = answer(chat(talk));
    const auto home = log_.back().node;
    for (int turn = 0; turn < 8; ++turn) {
        talk.push_back(say(engine::role::assistant, first.text));
        talk.push_back(say(engine::role::user, "more"));
        EXPECT_EQ(answer(chat(talk)).text, first.text);
        EXPECT_EQ(log_.back().node, home);
        const auto known = chain_of("m", chat(talk)).links.rbegin()[1].tokens;
        EXPECT_NE(log_.back().reason.find(fmt::format(", {} tokens of the prompt cached", known)), std::string::npos)
            << log_.back().reason << ": all but the newest message";
    }
    talk.back().content = "another way to go on";
    answer(chat(talk));
    EXPECT_EQ(log_.back().node, home);
    talk[talk.size() - 2].content = "The client says that the answer was this.";
    answer(chat(talk));
    const auto known = chain_of("m", chat(talk)).links.rbegin()[2].tokens;
    EXPECT_NE(log_.back().reason.find(fmt::format(", {} tokens of the prompt cached", known)), std::string::npos)
        << log_.back().reason << ": the prompt of that turn";
    talk[0].content += "!";
    answer(chat(talk));
    EXPECT_EQ(log_.back().reason.find("cached"), std::string::npos) << "another beginning";
}

TEST_F(dispatch_test, WhoWasFasterIsPreferred) {
    const auto slow = directory_.add(1);
    slow->how.timing = {.queue_ms = 0.0, .prefill_ms = 1'000.0, .decode_ms = 11'000.0};
    slow->how.cached_tokens = 60;
    const auto fast = directory_.add(2);
    fast->how.timing = {.queue_ms = 0.0, .prefill_ms = 100.0, .decode_ms = 110.0};
    directory_.at(1).view.round_trip = directory_.at(2).view.round_trip = {};
    for (int i = 0; i < 20; ++i) {
        answer(request());
    }
    EXPECT_GT(fast->requests.size(), 15U);
    EXPECT_GE(slow->requests.size(), 1U);
    EXPECT_EQ(log_.back().node, to_string(id_of(2)));
}

TEST_F(dispatch_test, EmbeddingsMoveOnToo) {
    directory_.add(1)->how.refusal = fail(errc::unavailable, "Gone.");
    directory_.add(2)->how.hangs_at_once = true;
    directory_.add(3);
    how_.stall_timeout = milliseconds(3);
    engine::embed_request what;
    what.inputs.emplace_back("a");
    what.inputs.emplace_back(std::vector<engine::token_id>{1, 2});
    run([](dispatch_test& t, engine::embed_request inputs) -> awaitable<void> {
        const auto generator = t.front();
        auto got = co_await generator->embed(inputs, aio::call_context("a"));
        EXPECT_TRUE(got);
        EXPECT_EQ(got->vectors.size(), 2U);
        EXPECT_EQ(got->prompt_tokens, 3);
        t.directory_.all.clear();
        auto none = co_await generator->embed(inputs, aio::call_context("a"));
        EXPECT_TRUE(none.error() == errc::unavailable);
    }(*this, what));
    EXPECT_EQ(front_desk().count().moved_on, 2U);
    EXPECT_EQ(log_.at(0).node, to_string(id_of(3)));
}

TEST_F(dispatch_test, TheFrontSumsUp) {
    directory_.add(1)->context = 100;
    directory_.add(2)->context = 300;
    engine::model_info info;
    info.id = "m";
    info.context_length = 200;
    info.layers = 7;
    const auto front = front_desk().generator("m", info);
    EXPECT_EQ(front->info().context_length, 300);
    EXPECT_EQ(front->info().layers, 7);
    EXPECT_EQ(front->load().slots, 8);
    EXPECT_DOUBLE_EQ(front->load().tokens_per_s, 5.0);
}

TEST_F(dispatch_test, OnlyTheLastDecisionsAreKept) {
    directory_.add(1);
    for (std::size_t i = 0; i < recent_decisions + 5; ++i) {
        answer(request(), aio::call_context(std::to_string(i)));
    }
    ASSERT_EQ(front_desk().recent().size(), recent_decisions);
    EXPECT_EQ(front_desk().recent().front().request_id, "5");
    EXPECT_EQ(front_desk().recent().back().request_id, std::to_string(recent_decisions + 4));
}

TEST_F(dispatch_test, StreamsOutliveTheDispatcher) {
    directory_.add(1)->how.breaks_after = 3;
    directory_.add(2);
    run([](dispatch_test& t) -> awaitable<void> {
        const auto generator = t.front();
        auto stream = co_await generator->generate(request(), aio::call_context("a"));
        t.dispatcher_.reset();
        for (int i = 0; i < 13; ++i) {
            auto event = co_await (*stream)->next();
            EXPECT_TRUE(event);
        }
    }(*this));
}

}  // namespace starling::dispatch
