#include "dispatch/tests/fakes.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace starling::dispatch {

using engine::errc;
using std::chrono::milliseconds;

class resume_test : public dispatch_test {
  public:
    void expect_whole(const received& got, const std::string& where) const {
        EXPECT_FALSE(got.failure) << where << ": " << got.failure->message;
        EXPECT_EQ(got.text, expected().text) << where;
        EXPECT_EQ(got.tokens, expected().tokens) << where;
        ASSERT_TRUE(got.end) << where;
        EXPECT_EQ(got.end->usage.completion_tokens, 12) << where;
    }
};

TEST_F(resume_test, AStreamGoesOnElsewhereAfterADeathAtEveryToken) {
    const auto first = directory_.add(1);
    const auto second = directory_.add(2);
    for (int after = 0; after <= 12; ++after) {
        first->how.breaks_after = after;
        const auto got = answer(request());
        expect_whole(got, std::to_string(after));
        EXPECT_EQ(got.moves, after == 0 ? 0U : 1U) << "before its first token nobody could have seen it elsewhere";
        ASSERT_EQ(second->requests.size(), static_cast<std::size_t>(after + 1));
        EXPECT_EQ(second->requests.back().resume.size(), static_cast<std::size_t>(after));
        EXPECT_EQ(second->requests.back().sampling.seed, 42U);
        EXPECT_EQ(std::get<engine::text_prompt>(second->requests.back().prompt).text, "Go on");
        EXPECT_EQ(log_.back().resumed_at, after == 0 ? -1 : after);
        EXPECT_EQ(log_.back().node, to_string(id_of(2)));
        EXPECT_NE(log_.back().cause.find("node-1: The engine was stopped"), std::string::npos) << log_.back().cause;
    }
    EXPECT_EQ(first->open + second->open, 0);
    const auto count = front_desk().count();
    EXPECT_EQ(count.resumed, 12U);
    EXPECT_EQ(count.moved_on, 1U);
    EXPECT_EQ(count.routed_to_peers, 13U);
    EXPECT_EQ(count.lost, 0U);
}

TEST_F(resume_test, TheSameWhenTokensTakeTime) {
    directory_.add(1)->how = {.breaks_after = 5, .pace = milliseconds(1)};
    directory_.add(2)->how.pace = milliseconds(1);
    expect_whole(answer(request()), "");
}

TEST_F(resume_test, DeathsInTurn) {
    for (std::uint8_t id = 1; id <= 7; ++id) {
        directory_.add(id)->how.breaks_after = 2;
    }
    expect_whole(answer(request()), "");
    EXPECT_EQ(front_desk().count().resumed, 6U);
    EXPECT_EQ(log_.size(), 7U);
    EXPECT_EQ(log_.back().resumed_at, 12) << "the last one only had to say that it is finished";
}

TEST_F(resume_test, ARequestThatBringsDownEverybodyIsGivenUp) {
    for (std::uint8_t id = 1; id <= 12; ++id) {
        directory_.add(id)->how.breaks_after = 1;
    }
    const auto got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::unavailable);
    EXPECT_NE(got.failure->message.find("after 9 tokens"), std::string::npos) << got.failure->message;
    EXPECT_EQ(log_.size(), 1U + max_takeovers);
    EXPECT_EQ(front_desk().count().lost, 1U);
}

TEST_F(resume_test, AWorkerThatHangsIsLeft) {
    for (const int after : {0, 1, 7, 12}) {
        SCOPED_TRACE(after);
        directory_.all.clear();
        const auto hangs = directory_.add(1);
        hangs->how.hangs_after = after;
        directory_.add(2);
        how_.stall_timeout = milliseconds(after == 0 ? 4 : 20);
        dispatcher_.reset();
        const auto began = std::chrono::steady_clock::now();
        expect_whole(answer(request()), "");
        const auto took = std::chrono::steady_clock::now() - began;
        EXPECT_GE(took, how_.stall_timeout * (after == 0 ? first_token_patience : 1));
        EXPECT_LT(took, milliseconds(400));
        EXPECT_EQ(hangs->open, 0);
        EXPECT_NE(log_.back().cause.find("hung"), std::string::npos) << log_.back().cause;
    }
}

TEST_F(resume_test, ASlowWorkerIsNotAHungOne) {
    directory_.add(1)->how.pace = milliseconds(8);
    how_.stall_timeout = milliseconds(25);
    expect_whole(answer(request()), "");
    EXPECT_EQ(log_.size(), 1U);
}

TEST_F(resume_test, AWorkerThatGivesTheStreamUpIsLeft) {
    for (const auto code : {errc::queue_full, errc::overloaded}) {
        directory_.all.clear();
        const auto first = directory_.add(1);
        first->how.breaks_after = 4;
        first->how.breaks_with = fail(code, "Too much to do.");
        directory_.add(2);
        expect_whole(answer(request()), "");
        EXPECT_EQ(log_.back().resumed_at, 4);
    }
}

TEST_F(resume_test, AnErrorOfTheRequestEndsIt) {
    for (const auto code : {errc::internal, errc::upstream_error, errc::deadline, errc::invalid_request}) {
        directory_.all.clear();
        const auto first = directory_.add(1);
        first->how.breaks_after = 4;
        first->how.breaks_with = fail(code, "It is the request.");
        const auto second = directory_.add(2);
        const auto got = answer(request());
        ASSERT_TRUE(got.failure);
        EXPECT_EQ(got.failure->message, "It is the request.");
        EXPECT_TRUE(second->requests.empty());
    }
}

TEST_F(resume_test, OnlyTheSameContentGoesOn) {
    directory_.add(1)->how.breaks_after = 3;
    const auto other = directory_.add(2, "other");
    const auto unknown = directory_.add(3, "");
    const auto same = directory_.add(4);
    expect_whole(answer(request()), "");
    EXPECT_TRUE(other->requests.empty());
    EXPECT_TRUE(unknown->requests.empty());
    EXPECT_EQ(same->requests.size(), 1U);
}

TEST_F(resume_test, BeforeTheFirstTokenAnybodyCanBegin) {
    directory_.add(1, "")->how.breaks_after = 0;
    const auto other = directory_.add(2, "other");
    expect_whole(answer(request()), "");
    EXPECT_TRUE(other->requests.at(0).resume.empty());
}

TEST_F(resume_test, WhatCannotBeContinuedSaysHowFarItGot) {
    directory_.add(1, "")->how.breaks_after = 3;
    auto got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::unavailable);
    EXPECT_NE(got.failure->message.find("after 3 tokens (node-1: The engine was stopped)"), std::string::npos)
        << got.failure->message;
    EXPECT_EQ(got.tokens.size(), 3U);

    directory_.all.clear();
    const auto silent = directory_.add(1);
    silent->how.breaks_after = 5;
    silent->how.tells_tokens = false;
    const auto second = directory_.add(2);
    got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_NE(got.failure->message.find("after 5 tokens"), std::string::npos);
    EXPECT_TRUE(second->requests.empty());
    EXPECT_EQ(front_desk().count().lost, 2U);
}

TEST_F(resume_test, WhenNobodyIsLeftItWaitsForOne) {
    directory_.add(1)->how.breaks_after = 4;
    how_.worker_wait = std::chrono::seconds(20);
    run([](resume_test& t) -> awaitable<void> {
        boost::asio::co_spawn(
            t.io_,
            [](resume_test& of) -> awaitable<void> {
                co_await of.pause(milliseconds(30));
                of.directory_.add(2, "other");
                co_await of.pause(milliseconds(30));
                of.directory_.add(3);
            }(t),
            [](std::exception_ptr) {});
        const auto began = std::chrono::steady_clock::now();
        auto got = co_await t.ask(request());
        t.expect_whole(got, "");
        EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(60));
        EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(800));
    }(*this));
    EXPECT_EQ(log_.back().node, to_string(id_of(3)));
    EXPECT_EQ(directory_.asked_for, std::vector<std::string>{"m"});
}

TEST_F(resume_test, ItEndsWhenNobodyComes) {
    const auto only = directory_.add(1);
    only->how.breaks_after = 4;
    const auto got = answer(request());
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::unavailable);
    EXPECT_EQ(got.failure->message,
              "The answer stopped after 4 tokens (node-1: The engine was stopped), and no other node that serves the "
              "same 'm' went on with it within 0.1 s; start one with this model, or send the request again later.");
    EXPECT_EQ(only->requests.size(), 1U) << "it died under this request";
    EXPECT_EQ(front_desk().count().lost, 1U);
}

TEST_F(resume_test, AWorkerThatCameBackIsAskedAgain) {
    directory_.add(1)->how.breaks_after = 4;
    how_.worker_wait = std::chrono::seconds(20);
    run([](resume_test& t) -> awaitable<void> {
        boost::asio::co_spawn(
            t.io_,
            [](resume_test& of) -> awaitable<void> {
                co_await of.pause(milliseconds(20));
                of.directory_.remove(1);
                of.directory_.add(1);
            }(t),
            [](std::exception_ptr) {});
        auto got = co_await t.ask(request());
        t.expect_whole(got, "");
    }(*this));
    EXPECT_EQ(log_.back().node, to_string(id_of(1)));
    EXPECT_EQ(log_.back().resumed_at, 4);
}

TEST_F(resume_test, WhoRefusesTheRestIsSkippedWhateverTheReason) {
    directory_.add(1)->how.breaks_after = 4;
    std::uint8_t id = 2;
    for (const auto code : {errc::invalid_request, errc::unsupported, errc::prompt_too_long, errc::queue_full,
                            errc::internal, errc::unavailable}) {
        directory_.add(id++)->how.refusal = fail(code, "No.");
    }
    const auto large = directory_.add(9);
    large->context = 8'192;
    expect_whole(answer(request()), "");
    EXPECT_EQ(large->requests.size(), 1U);
}

TEST_F(resume_test, AStreamInTheMiddleWaitsForRoomToo) {
    directory_.add(1)->how.breaks_after = 4;
    const auto full = directory_.add(2);
    full->how.refusal = fail(errc::queue_full, "Too many are waiting.");
    how_.worker_wait = std::chrono::seconds(20);
    run([](resume_test& t, fake_generator& busy) -> awaitable<void> {
        busy.on_request = [&] {
            if (busy.requests.size() == 2) {
                busy.how.refusal.reset();
            }
        };
        auto got = co_await t.ask(request());
        t.expect_whole(got, "");
    }(*this, *full));
    EXPECT_EQ(full->requests.size(), 2U) << "asked again after a while, though nothing was announced";
}

TEST_F(resume_test, TextThatWasHeldBackIsSaidOnce) {
    for (const bool limited : {false, true}) {
        for (int after = 0; after <= 13; ++after) {
            SCOPED_TRACE(after);
            directory_.all.clear();
            const auto first = directory_.add(1);
            first->how.held_back = "...";
            first->how.breaks_after = after;
            directory_.add(2)->how.held_back = "...";
            auto what = request();
            what.max_tokens = limited ? std::optional(12) : std::nullopt;
            const auto got = answer(what);
            EXPECT_FALSE(got.failure);
            EXPECT_EQ(got.text, expected().text + "...");
            ASSERT_TRUE(got.end);
            EXPECT_EQ(got.end->reason, limited ? engine::finish_reason::length : engine::finish_reason::stop);
        }
    }
}

TEST_F(resume_test, TheTimeOfAllWorkersIsReported) {
    const auto first = directory_.add(1);
    first->how.breaks_after = 5;
    first->how.pace = milliseconds(4);
    directory_.add(2)->how.timing.decode_ms = 100.0;
    const auto got = answer(request());
    ASSERT_TRUE(got.end);
    EXPECT_GT(got.end->timing.decode_ms, 100.0 + 10.0);
}

TEST_F(resume_test, WhoAnswersIsKnownAtAllTimes) {
    directory_.add(1)->how.breaks_after = 1;
    directory_.add(2);
    run([](resume_test& t) -> awaitable<void> {
        const auto generator = t.front();
        auto stream = co_await generator->generate(request(), aio::call_context("req"));
        EXPECT_EQ((*stream)->from().node, to_string(id_of(1)));
        EXPECT_EQ((*stream)->prompt_tokens(), 100);
        EXPECT_NE((*stream)->from().reason.find("predicted"), std::string::npos);
        for (int i = 0; i < 2; ++i) {
            auto event = co_await (*stream)->next();
            EXPECT_TRUE(event);
        }
        EXPECT_EQ((*stream)->from().node, to_string(id_of(2)));
    }(*this));
}

TEST_F(resume_test, TheDeadlineEndsAHungStreamAndAWait) {
    directory_.add(1)->how.hangs_after = 3;
    how_.stall_timeout = std::chrono::seconds(30);
    const auto began = std::chrono::steady_clock::now();
    auto got = answer(request(), aio::call_context("a", began + milliseconds(30)));
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::deadline) << got.failure->message;

    directory_.all.clear();
    directory_.add(1)->how.breaks_after = 3;
    how_.worker_wait = std::chrono::seconds(30);
    dispatcher_.reset();
    got = answer(request(), aio::call_context("a", std::chrono::steady_clock::now() + milliseconds(30)));
    ASSERT_TRUE(got.failure);
    EXPECT_TRUE(*got.failure == errc::deadline) << got.failure->message;
    EXPECT_NE(got.failure->message.find("after 3 tokens"), std::string::npos);
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(900));
}

/// Cancels an ask() after a while; everything must be gone a moment later.
class cancel_test : public resume_test {
  public:
    void cancel_after(milliseconds time) {
        boost::asio::cancellation_signal stop;
        bool ended = false;
        boost::asio::co_spawn(io_, ask(request()),
                              boost::asio::bind_cancellation_slot(
                                  stop.slot(), [&](std::exception_ptr e, const received&) { ended = e != nullptr; }));
        run([](cancel_test& t, milliseconds wait, boost::asio::cancellation_signal& signal) -> awaitable<void> {
            co_await t.pause(wait);
            signal.emit(boost::asio::cancellation_type::terminal);
            co_await t.pause(milliseconds(1));
        }(*this, time, stop));
        EXPECT_TRUE(ended);
    }
};

TEST_F(cancel_test, WhileAWorkerIsSilent) {
    const auto silent = directory_.add(1);
    silent->how.hangs_after = 2;
    const auto second = directory_.add(2);
    how_.stall_timeout = std::chrono::seconds(30);
    cancel_after(milliseconds(10));
    EXPECT_EQ(silent->open, 0);
    EXPECT_TRUE(second->requests.empty());
}

TEST_F(cancel_test, WhileAWorkerIsAsked) {
    const auto silent = directory_.add(1);
    silent->how.hangs_at_once = true;
    const auto second = directory_.add(2);
    how_.stall_timeout = std::chrono::seconds(30);
    cancel_after(milliseconds(10));
    EXPECT_TRUE(second->requests.empty());
}

TEST_F(cancel_test, WhileNobodyIsThere) {
    directory_.add(1)->how.breaks_after = 2;
    how_.worker_wait = std::chrono::seconds(30);
    cancel_after(milliseconds(10));
    EXPECT_EQ(front_desk().count().lost, 0U);
}

TEST_F(cancel_test, WhenTheLoopEndsUnderIt) {
    const auto silent = directory_.add(1);
    silent->how.hangs_after = 2;
    how_.stall_timeout = std::chrono::seconds(30);
    boost::asio::co_spawn(io_, ask(request()), [](std::exception_ptr, const received&) {});
    io_.run_for(milliseconds(5));
    EXPECT_EQ(silent->open, 1) << "what is left goes with the loop";
}

TEST_F(cancel_test, DroppingTheStreamDropsTheWorkersAtOnce) {
    const auto only = directory_.add(1);
    run([](cancel_test& t, fake_generator& worker) -> awaitable<void> {
        const auto generator = t.front();
        auto stream = co_await generator->generate(request(), aio::call_context("req"));
        auto event = co_await (*stream)->next();
        EXPECT_TRUE(event);
        EXPECT_EQ(worker.open, 1);
        stream->reset();
        EXPECT_EQ(worker.open, 0);
    }(*this, *only));
}

TEST_F(cancel_test, AnEndedStreamSaysSo) {
    directory_.add(1);
    run([](cancel_test& t) -> awaitable<void> {
        const auto generator = t.front();
        auto what = request();
        what.max_tokens = 1;
        auto stream = co_await generator->generate(std::move(what), aio::call_context("req"));
        for (int i = 0; i < 2; ++i) {
            auto event = co_await (*stream)->next();
            EXPECT_TRUE(event);
        }
        auto more = co_await (*stream)->next();
        EXPECT_FALSE(more);
        EXPECT_EQ((*stream)->prompt_tokens(), 100);
    }(*this));
}

}  // namespace starling::dispatch
