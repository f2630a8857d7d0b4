#include "peers/ask.hpp"

#include "peers/comparison_code.hpp"
#include "peers/handshake.hpp"
#include "transport/memory_network.hpp"
#include "wire/errc.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <list>
#include <optional>
#include <vector>

namespace starling::peers {

namespace asio = boost::asio;
using admission::errc;
using admission::role;
using std::chrono::milliseconds;

constexpr admission::unix_time_s now = 1'800'000'000;

class ask_test : public testing::Test {
  public:
    struct newcomer {
        keys::key_pair keys = keys::key_pair::generate();
        std::unique_ptr<transport::endpoint> endpoint;
        std::shared_ptr<transport::connection> to;
        std::string code;
        std::string member_name;
        node_id mesh;
        std::optional<result<admission::certificate>> outcome;
        std::optional<result<acquaintance>> greeted;
    };

    admission::certificate certificate_for(const node_id& subject, role as = role::worker) const {
        admission::certificate what;
        what.subject = subject;
        what.role = as;
        what.issued_s = now;
        what.expires_s = now + 1'000;
        return admission::issue(root_, what);
    }

    certificate_check check() {
        return [this](const admission::certificate& of) { return admission::check(of, root_.id(), now, revoked_); };
    }

    static certificate_check_for_mesh check_for_mesh() {
        return [](const node_id& mesh, const admission::certificate& of) {
            return admission::check(of, mesh, now, admission::revocation_list(mesh));
        };
    }

    waiting_room::options options(milliseconds patience = ask_patience) {
        return {.name = "desk",
                .admit = [this](const node_id& who, role as) -> result<admission::certificate> {
                    if (broken_) {
                        return fail(errc::not_allowed, "no key here");
                    }
                    return certificate_for(who, as);
                },
                .on_request = [this](const waiting_room::request& who) { shown_.push_back(who); },
                .patience = patience};
    }

    awaitable<void> receive_all(waiting_room* room) {
        for (;;) {
            auto taken = co_await member_->accept();
            if (!taken) {
                co_return;
            }
            asio::co_spawn(io_, receive_one(*taken, room), asio::detached);
        }
    }

    awaitable<void> receive_one(std::shared_ptr<transport::connection> from, waiting_room* room) {
        introduction self{.mesh = root_.id(), .certificate = certificate_for(member_keys_.id()), .software = "9.9"};
        const invite_redeemer none = [](const auto&, const auto&) { return fail(errc::unknown_invite, "no invites"); };
        auto known = co_await receive_greeting(from, self, check(), none, room);
        there_.push_back(std::move(known));
        from->close("done");
    }

    newcomer& add() {
        newcomer& made = newcomers_.emplace_back();
        made.endpoint = network_.add(made.keys.id());
        return made;
    }

    awaitable<void> connect(newcomer& who) {
        auto made = co_await who.endpoint->connect(member_->local(), member_keys_.id(), transport::steady_time::max());
        who.to = *made;
    }

    awaitable<void> ask_for(newcomer& who, bool greets) {
        co_await connect(who);
        const code_shower show = [&who](const std::string& code, const std::string& name, const node_id& mesh) {
            who.code = code;
            who.member_name = name;
            who.mesh = mesh;
        };
        auto given = co_await ask_to_be_admitted(who.to, who.keys.id(), "laptop", show, check_for_mesh());
        who.outcome.emplace(given);
        if (given && greets) {
            introduction self{.mesh = who.mesh, .certificate = *given, .software = "new"};
            auto here = co_await greet(who.to, self, check());
            who.greeted.emplace(std::move(here));
        }
    }

    newcomer& start_asking(bool greets = false) {
        newcomer& who = add();
        asio::co_spawn(io_, ask_for(who, greets), asio::detached);
        settle();
        return who;
    }

    /// Everything that can happen without waiting.
    void settle() {
        io_.restart();
        while (io_.poll() > 0) {
        }
    }

    waiting_room& open_room(milliseconds patience = ask_patience) {
        room_.emplace(io_.get_executor(), options(patience));
        serve(&*room_);
        return *room_;
    }

    void serve(waiting_room* room) { asio::co_spawn(io_, receive_all(room), asio::detached); }

    void TearDown() override {
        member_->stop();
        for (newcomer& one : newcomers_) {
            one.endpoint->stop();
        }
        settle();
    }

    asio::io_context io_{1};
    transport::memory_network network_{io_.get_executor()};
    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair member_keys_ = keys::key_pair::generate();
    admission::revocation_list revoked_{root_.id()};
    std::unique_ptr<transport::endpoint> member_ = network_.add(member_keys_.id());
    std::optional<waiting_room> room_;
    std::list<newcomer> newcomers_;
    std::vector<waiting_room::request> shown_;
    std::vector<result<acquaintance>> there_;
    bool broken_ = false;
};

TEST_F(ask_test, BothScreensShowTheSameCodeAndApprovalMakesAMember) {
    waiting_room& room = open_room();
    newcomer& who = start_asking(true);
    ASSERT_EQ(room.waiting().size(), 1U);
    const auto waits = room.waiting().front();
    EXPECT_EQ(waits.code, who.code);
    EXPECT_EQ(waits.name, "laptop");
    EXPECT_EQ(waits.who, who.keys.id());
    EXPECT_EQ(who.member_name, "desk");
    EXPECT_EQ(who.mesh, root_.id());
    ASSERT_EQ(shown_.size(), 1U);
    EXPECT_EQ(shown_[0].code, who.code);
    EXPECT_FALSE(who.outcome);

    EXPECT_TRUE(room.approve(digits_of(who.code), role::client));
    EXPECT_TRUE(room.waiting().empty());
    EXPECT_TRUE(room.approve(who.code, role::client).error() == errc::expired);
    settle();
    ASSERT_TRUE(who.outcome);
    ASSERT_TRUE(*who.outcome) << who.outcome->error().message;
    EXPECT_EQ((*who.outcome)->role, role::client);
    EXPECT_EQ((*who.outcome)->subject, who.keys.id());
    ASSERT_TRUE(who.greeted);
    EXPECT_TRUE(*who.greeted) << who.greeted->error().message;
    ASSERT_EQ(there_.size(), 1U);
    EXPECT_TRUE(there_[0]) << there_[0].error().message;
}

TEST_F(ask_test, ThePersonMaySayNo) {
    waiting_room& room = open_room();
    newcomer& who = start_asking();
    EXPECT_TRUE(room.refuse("000").error() == errc::expired);
    EXPECT_TRUE(room.refuse(who.code));
    settle();
    ASSERT_TRUE(who.outcome);
    EXPECT_TRUE(who.outcome->error() == errc::not_allowed);
    EXPECT_EQ(who.outcome->error().message, "The person at desk said no.");
    ASSERT_EQ(there_.size(), 1U);
    EXPECT_TRUE(there_[0].error() == errc::not_allowed);
}

TEST_F(ask_test, ANodeWithoutARoomTakesNoRequests) {
    serve(nullptr);
    newcomer& who = start_asking();
    ASSERT_TRUE(who.outcome);
    EXPECT_TRUE(who.outcome->error() == errc::not_allowed);
    EXPECT_TRUE(who.code.empty());
}

TEST_F(ask_test, WhoeverCannotAdmitIsToldAndTheNewcomerStillWaits) {
    waiting_room& room = open_room();
    newcomer& who = start_asking();
    broken_ = true;
    EXPECT_TRUE(room.approve(who.code, role::worker).error() == errc::not_allowed);
    EXPECT_EQ(room.waiting().size(), 1U);
    broken_ = false;
    EXPECT_TRUE(room.approve(who.code, role::worker));
    settle();
    ASSERT_TRUE(who.outcome);
    EXPECT_TRUE(*who.outcome);
}

TEST_F(ask_test, ARequestExpires) {
    waiting_room& room = open_room(milliseconds(100));
    newcomer& who = start_asking();
    EXPECT_EQ(room.waiting().size(), 1U);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!who.outcome && std::chrono::steady_clock::now() < end) {
        io_.restart();
        io_.run_for(milliseconds(10));
    }
    EXPECT_TRUE(room.waiting().empty());
    ASSERT_TRUE(who.outcome);
    EXPECT_TRUE(who.outcome->error() == errc::expired) << who.outcome->error().message;
    EXPECT_TRUE(room.approve(who.code, role::worker).error() == errc::expired);
}

TEST_F(ask_test, WhoLeavesIsForgotten) {
    waiting_room& room = open_room();
    newcomer& who = start_asking();
    EXPECT_EQ(room.waiting().size(), 1U);
    who.to->close("changed my mind");
    settle();
    EXPECT_TRUE(room.waiting().empty());
    EXPECT_EQ(there_.size(), 1U);
    EXPECT_TRUE(who.outcome && !*who.outcome);
}

TEST_F(ask_test, NobodyKeepsAskingAndMoreThanAFewAreNotHeard) {
    waiting_room& room = open_room();
    for (std::size_t i = 0; i < max_waiting; ++i) {
        EXPECT_FALSE(start_asking().code.empty());
    }
    EXPECT_EQ(room.waiting().size(), max_waiting);
    newcomer& late = start_asking();
    EXPECT_TRUE(late.code.empty());
    ASSERT_TRUE(late.outcome);
    EXPECT_TRUE(late.outcome->error() == errc::full);
    newcomers_.front().to->close("bye");
    settle();
    EXPECT_FALSE(start_asking().code.empty());
}

TEST_F(ask_test, CodesAreBoundedInTime) {
    using std::chrono::minutes;
    using std::chrono::seconds;
    const steady_time start{};
    ask_pace pace;
    const auto one = keys::key_pair::generate().id();
    for (std::size_t i = 0; i < max_codes_of_one_node; ++i) {
        EXPECT_TRUE(pace.take(one, start));
    }
    EXPECT_TRUE(pace.take(one, start).error() == errc::full);
    EXPECT_TRUE(pace.take(one, start + minutes(1)));
    for (std::size_t i = max_codes_of_one_node + 1; i < max_codes; ++i) {
        EXPECT_TRUE(pace.take(keys::key_pair::generate().id(), start + minutes(2)));
    }
    EXPECT_TRUE(pace.take(keys::key_pair::generate().id(), start + ask_patience - seconds(1)).error() == errc::full);
    EXPECT_TRUE(pace.take(keys::key_pair::generate().id(), start + ask_patience));
}

// What a newcomer may say out of turn, step by step.
class dishonest_ask_test : public ask_test {
  public:
    awaitable<void> say_all(newcomer& who, ask first, nonce revealed, std::string then) {
        co_await connect(who);
        auto opened = co_await who.to->open(transport::steady_time::max());
        transport::message_stream stream(std::move(*opened));
        const greeting plea(std::move(first));
        auto sent = co_await stream.send(to_json(plea), transport::steady_time::max());
        auto answer = co_await stream.receive(transport::steady_time::max());
        EXPECT_TRUE(answer);
        const greeting reveal(ask_reveal{.nonce = revealed});
        sent = co_await stream.send(to_json(reveal), transport::steady_time::max());
        if (!then.empty()) {
            sent = co_await stream.send(then, transport::steady_time::max());
        }
        answer = co_await stream.receive(transport::steady_time::max());
        EXPECT_TRUE(answer);
        if (answer) {
            last_ = parse_greeting(*answer);
        }
    }

    result<greeting> last_ = fail(errc::malformed, "nothing yet");
};

TEST_F(dishonest_ask_test, ANumberThatWasNotCommittedToIsForged) {
    waiting_room& room = open_room();
    newcomer& who = add();
    ask first{.name = "laptop", .commitment = commit_to(nonce{1}, {who.keys.id(), member_keys_.id()})};
    asio::co_spawn(io_, say_all(who, first, nonce{2}, ""), asio::detached);
    settle();
    EXPECT_TRUE(room.waiting().empty());
    EXPECT_TRUE(shown_.empty());
    ASSERT_TRUE(last_ && std::holds_alternative<refused>(*last_));
    EXPECT_TRUE(std::get<refused>(*last_).why == errc::forged);
    ASSERT_EQ(there_.size(), 1U);
    EXPECT_TRUE(there_[0].error() == errc::forged);
}

TEST_F(dishonest_ask_test, SoIsWhatAnotherHasCommittedTo) {
    open_room();
    newcomer& who = add();
    const auto victim = keys::key_pair::generate().id();
    ask first{.name = "laptop", .commitment = commit_to(nonce{1}, {victim, member_keys_.id()})};
    asio::co_spawn(io_, say_all(who, first, nonce{1}, ""), asio::detached);
    settle();
    EXPECT_TRUE(shown_.empty());
    ASSERT_EQ(there_.size(), 1U);
    EXPECT_TRUE(there_[0].error() == errc::forged);
}

TEST_F(dishonest_ask_test, WhoWaitsAndGoesOnTalkingIsForgotten) {
    waiting_room& room = open_room();
    newcomer& who = add();
    const nonce a{1};
    ask first{.name = "laptop", .commitment = commit_to(a, {who.keys.id(), member_keys_.id()})};
    asio::co_spawn(io_, say_all(who, first, a, "{\"type\":\"hello\"}"), asio::detached);
    settle();
    EXPECT_TRUE(room.waiting().empty());
    ASSERT_EQ(there_.size(), 1U);
    EXPECT_TRUE(there_[0].error() == wire::errc::malformed);
}

TEST(AskMessages, ArriveAsTheyWereSentAndFitToBeShown) {
    const greeting plea(ask{.name = "lap\x1btop", .commitment = {1, 2}});
    const auto asked = parse_greeting(to_json(plea));
    ASSERT_TRUE(asked && std::holds_alternative<ask>(*asked));
    EXPECT_EQ(std::get<ask>(*asked).name, "lap?top");
    EXPECT_EQ(std::get<ask>(*asked).commitment, (commitment{1, 2}));
    const greeting answer(ask_nonce{.nonce = {3}, .mesh = node_id{{4}}, .name = "desk"});
    const auto answered = parse_greeting(to_json(answer));
    ASSERT_TRUE(answered && std::holds_alternative<ask_nonce>(*answered));
    EXPECT_EQ(std::get<ask_nonce>(*answered).nonce, nonce{3});
    EXPECT_EQ(std::get<ask_nonce>(*answered).mesh, node_id{{4}});
    EXPECT_EQ(std::get<ask_nonce>(*answered).name, "desk");
    EXPECT_FALSE(parse_greeting("{\"type\":\"ask\",\"name\":\"x\",\"commitment\":\"AAAA\"}"));
    EXPECT_FALSE(parse_greeting("{\"type\":\"ask_nonce\",\"name\":\"x\"}"));
    EXPECT_FALSE(parse_greeting("{\"type\":\"ask_reveal\"}"));
}

}  // namespace starling::peers
