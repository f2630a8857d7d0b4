#include "peers/handshake.hpp"

#include "peers/greeting_codec.hpp"
#include "transport/memory_network.hpp"
#include "transport/message_stream.hpp"
#include "wire/errc.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>

namespace starling::peers {

namespace asio = boost::asio;
using admission::errc;

constexpr admission::unix_time_s now = 1'800'000'000;

class handshake_test : public testing::Test {
  public:
    admission::certificate certificate_for(const node_id& subject) const {
        admission::certificate what;
        what.subject = subject;
        what.role = admission::role::worker;
        what.issued_s = now;
        what.expires_s = now + 1'000;
        return admission::issue(root_, what);
    }

    introduction introduce(const keys::key_pair& who) const {
        return {.mesh = root_.id(), .certificate = certificate_for(who.id()), .software = "9.9"};
    }

    certificate_check check() {
        return [this](const admission::certificate& of) { return admission::check(of, root_.id(), now, revoked_); };
    }

    invite_redeemer redeem() {
        return [this](const admission::invite::secret_bytes& secret,
                      const node_id& bearer) -> result<admission::certificate> {
            auto may = book_.redeem(secret, bearer, now);
            if (!may) {
                return may.error();
            }
            return certificate_for(bearer);
        };
    }

    awaitable<void> answer_one(result<acquaintance>& outcome) {
        auto taken = co_await server_->accept();
        server_side_ = *taken;
        outcome = co_await receive_greeting(*taken, introduce(server_keys_), check(), redeem());
    }

    awaitable<std::shared_ptr<transport::connection>> connect() {
        asio::co_spawn(io_, answer_one(there_), asio::detached);
        auto made = co_await client_->connect(server_->local(), server_keys_.id(), transport::steady_time::max());
        co_return *made;
    }

    void run(awaitable<void> test) {
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(test), [&](std::exception_ptr e) { thrown = e; });
        io_.run();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    }

    asio::io_context io_{1};
    transport::memory_network network_{io_.get_executor()};
    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair client_keys_ = keys::key_pair::generate();
    keys::key_pair server_keys_ = keys::key_pair::generate();
    admission::revocation_list revoked_{root_.id()};
    admission::invite_book book_;
    std::unique_ptr<transport::endpoint> client_ = network_.add(client_keys_.id());
    std::unique_ptr<transport::endpoint> server_ = network_.add(server_keys_.id());
    std::shared_ptr<transport::connection> server_side_;
    result<acquaintance> there_ = fail(wire::errc::malformed, "not asked yet");
};

TEST_F(handshake_test, MembersGetToKnowEachOther) {
    run([](handshake_test& t) -> awaitable<void> {
        auto to = co_await t.connect();
        auto here = co_await greet(to, t.introduce(t.client_keys_), t.check());
        EXPECT_TRUE(here) << here.error().message;
        EXPECT_EQ(here->certificate.subject, t.server_keys_.id());
        EXPECT_EQ(here->software, "9.9");
        EXPECT_EQ(here->version, 1);
    }(*this));
    ASSERT_TRUE(there_);
    EXPECT_EQ(there_->certificate.subject, client_keys_.id());
}

TEST_F(handshake_test, ARevokedMemberIsToldSo) {
    ASSERT_TRUE(revoked_.add(admission::revoke(root_, client_keys_.id(), now), now));
    run([](handshake_test& t) -> awaitable<void> {
        auto to = co_await t.connect();
        auto here = co_await greet(to, t.introduce(t.client_keys_), t.check());
        EXPECT_TRUE(here.error() == errc::revoked) << here.error().message;
    }(*this));
    EXPECT_TRUE(there_.error() == errc::revoked);
}

TEST_F(handshake_test, SomebodyElsesCertificateIsNoUse) {
    run([](handshake_test& t) -> awaitable<void> {
        auto to = co_await t.connect();
        auto stolen = t.introduce(keys::key_pair::generate());
        auto here = co_await greet(to, stolen, t.check());
        EXPECT_TRUE(here.error() == errc::forged) << here.error().message;
    }(*this));
    EXPECT_TRUE(there_.error() == errc::forged);
}

TEST_F(handshake_test, ANodeOfAnotherMeshIsRefused) {
    run([](handshake_test& t) -> awaitable<void> {
        auto to = co_await t.connect();
        const auto other = keys::key_pair::generate();
        auto mine = t.introduce(t.client_keys_);
        mine.mesh = other.id();
        mine.certificate = admission::issue(other, mine.certificate);
        auto here = co_await greet(to, mine, t.check());
        EXPECT_TRUE(here.error() == errc::wrong_mesh) << here.error().message;
    }(*this));
}

TEST_F(handshake_test, AnInviteMakesAMember) {
    run([](handshake_test& t) -> awaitable<void> {
        admission::invite invite{.mesh = t.root_.id(), .inviter = t.server_keys_.id(), .expires_s = now + 100};
        invite.secret.fill(7);
        EXPECT_TRUE(t.book_.add(invite, now));
        auto to = co_await t.connect();
        auto given = co_await ask_to_join(to, invite, t.client_keys_.id(), t.check());
        EXPECT_TRUE(given) << given.error().message;
        introduction mine{.mesh = t.root_.id(), .certificate = *given, .software = "new"};
        auto here = co_await greet(to, mine, t.check());
        EXPECT_TRUE(here) << here.error().message;
    }(*this));
    EXPECT_TRUE(there_) << there_.error().message;
}

TEST_F(handshake_test, AnInviteOpensNothingTwice) {
    run([](handshake_test& t) -> awaitable<void> {
        admission::invite invite{.mesh = t.root_.id(), .inviter = t.server_keys_.id(), .expires_s = now + 100};
        EXPECT_TRUE(t.book_.add(invite, now));
        EXPECT_TRUE(t.book_.redeem(invite.secret, keys::key_pair::generate().id(), now));
        auto to = co_await t.connect();
        auto given = co_await ask_to_join(to, invite, t.client_keys_.id(), t.check());
        EXPECT_TRUE(given.error() == errc::used) << given.error().message;
    }(*this));
    EXPECT_TRUE(there_.error() == errc::used);
}

TEST_F(handshake_test, GarbageAndRequestsOutOfTurnEndIt) {
    for (const std::string text : {"", "{", "{\"type\":\"prompt\",\"text\":\"Hi\"}", "{\"type\":\"welcome\"}"}) {
        there_ = fail(admission::errc::full, "not asked yet");
        io_.restart();
        run([](handshake_test& t, std::string said) -> awaitable<void> {
            auto to = co_await t.connect();
            auto opened = co_await to->open(transport::steady_time::max());
            transport::message_stream stream(std::move(*opened));
            auto sent = co_await stream.send(said, transport::steady_time::max());
            auto answer = co_await stream.receive(transport::steady_time::max());
            EXPECT_FALSE(answer);
        }(*this, text));
        EXPECT_TRUE(there_.error() == wire::errc::malformed || there_.error() == wire::errc::unsupported) << text;
    }
}

TEST_F(handshake_test, ANewerNodeThatStillSpeaksOurVersionIsUnderstood) {
    hello newer{.version = 7, .oldest = 1, .software = "2.0", .mesh = root_.id()};
    newer.certificate = certificate_for(client_keys_.id());
    const auto say = [&](const hello& what) {
        io_.restart();
        run([](handshake_test& t, greeting said) -> awaitable<void> {
            auto to = co_await t.connect();
            auto opened = co_await to->open(transport::steady_time::max());
            transport::message_stream stream(std::move(*opened));
            auto sent = co_await stream.send(to_json(said), transport::steady_time::max());
            auto answer = co_await stream.receive(transport::steady_time::max());
            EXPECT_TRUE(answer);
        }(*this, greeting(what)));
    };
    say(newer);
    ASSERT_TRUE(there_) << there_.error().message;
    EXPECT_EQ(there_->version, 1);
    newer.oldest = 2;
    say(newer);
    EXPECT_TRUE(there_.error() == wire::errc::unsupported);
}

}  // namespace starling::peers
