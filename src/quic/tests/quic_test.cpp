#include "quic_fixture.hpp"

#include <algorithm>
#include <vector>

namespace starling::quic {

using connection_ptr = std::shared_ptr<transport::connection>;

struct pair_of_sides {
    connection_ptr client;
    connection_ptr server;
};

class quic_pair : public quic_test {
  public:
    awaitable<pair_of_sides> meet() {
        auto made = co_await client_->connect(server_->local(), server_keys_.id(), soon());
        EXPECT_TRUE(made) << made.error().message;
        auto taken = co_await server_->accept();
        EXPECT_TRUE(taken);
        co_return pair_of_sides{*made, *taken};
    }

    /// Sends back what comes in, on every stream, until the connection ends.
    awaitable<void> echo_streams(connection_ptr on) {
        for (;;) {
            auto next = co_await on->accept(transport::steady_time::max());
            if (!next) {
                co_return;
            }
            asio::co_spawn(io_, echo(std::move(*next)), asio::detached);
        }
    }

    awaitable<void> echo(std::unique_ptr<transport::stream> on) {
        transport::bytes part(16 << 10);
        for (;;) {
            auto got = co_await on->read_some(part, soon());
            if (!got || *got == 0) {
                break;
            }
            const auto answer = std::span(part).first(*got);
            auto written = co_await on->write(answer, soon());
            if (!written) {
                co_return;
            }
        }
        on->finish();
    }
};

TEST_F(quic_pair, BothSidesKnowWhoTheOtherIs) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        EXPECT_EQ(sides.client->peer(), t.server_keys_.id());
        EXPECT_EQ(sides.server->peer(), t.client_keys_.id());
        EXPECT_TRUE(sides.client->initiated());
        EXPECT_FALSE(sides.server->initiated());
        EXPECT_GT(sides.client->facts().round_trip.count(), 0);
    }(*this));
}

TEST_F(quic_pair, AnotherKeyAtTheAddressIsNotThePeer) {
    run([](quic_pair& t) -> awaitable<void> {
        const auto other = keys::key_pair::generate();
        auto made = co_await t.client_->connect(t.server_->local(), other.id(), soon());
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::wrong_peer) << made.error().message;
        EXPECT_NE(made.error().message.find(short_name(t.server_keys_.id())), std::string::npos);
    }(*this));
}

TEST_F(quic_pair, NobodyThereIsSaidAtOnceWhereTheNetworkSaysSo) {
    run([](quic_pair& t) -> awaitable<void> {
        const auto nobody = t.server_->local();
        t.server_->stop();
        auto made = co_await t.client_->connect(nobody, t.server_keys_.id(), soon());
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::unreachable) << made.error().message;
    }(*this));
}

TEST_F(quic_pair, AConnectThatGetsNoAnswerEndsAtItsDeadline) {
    run([](quic_pair& t) -> awaitable<void> {
        asio::ip::udp::socket deaf(t.io_, loopback());
        auto made =
            co_await t.client_->connect(deaf.local_endpoint(), t.server_keys_.id(), in(std::chrono::milliseconds(200)));
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::deadline) << made.error().message;
    }(*this));
}

TEST_F(quic_pair, AStreamCarriesBytesBothWays) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        asio::co_spawn(t.io_, t.echo_streams(sides.server), asio::detached);
        auto opened = co_await sides.client->open(soon());
        const std::string sent(3 << 20, 'x');
        std::string text = sent;
        std::generate(text.begin(), text.end(),
                      [n = 0U]() mutable { return static_cast<char>(n++ * 2654435761U >> 24); });
        auto writing = [](transport::stream& to, const std::string& what) -> awaitable<void> {
            auto written = co_await to.write(bytes_of(what), soon());
            EXPECT_TRUE(written);
            to.finish();
        };
        asio::co_spawn(t.io_, writing(**opened, text), asio::detached);
        auto back = co_await read_all(**opened);
        EXPECT_TRUE(back);
        EXPECT_TRUE(*back == text);
    }(*this));
}

TEST_F(quic_pair, AThousandStreamsAtATimeAndTenThousandInTurn) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        asio::co_spawn(t.io_, t.echo_streams(sides.server), asio::detached);
        auto ask = [](quic_pair& of, connection_ptr on, int turns, int& good) -> awaitable<void> {
            for (int i = 0; i < turns; ++i) {
                auto opened = co_await on->open(soon());
                if (!opened) {
                    co_return;
                }
                auto written = co_await (*opened)->write(bytes_of("ping"), soon());
                (*opened)->finish();
                auto back = co_await read_all(**opened);
                good += back && *back == "ping" ? 1 : 0;
            }
            (void)of;
        };
        std::vector<int> good(1000, 0);
        int ended = 0;
        for (int& one : good) {
            asio::co_spawn(t.io_, ask(t, sides.client, 10, one), [&](std::exception_ptr) { ++ended; });
        }
        while (ended < 1000) {
            co_await t.pause(std::chrono::milliseconds(5));
        }
        EXPECT_EQ(std::count(good.begin(), good.end(), 10), 1000);
    }(*this));
}

TEST_F(quic_pair, AWriterWaitsForASlowReader) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        auto opened = co_await sides.client->open(soon());
        const std::string much(24 << 20, 'y');
        auto written = co_await (*opened)->write(bytes_of(much), in(std::chrono::milliseconds(500)));
        EXPECT_FALSE(written);
        EXPECT_TRUE(written.error() == errc::deadline);
        // Another stream is not held up by it.
        asio::co_spawn(t.io_, t.echo_streams(sides.client), asio::detached);
        auto second = co_await sides.server->open(soon());
        auto asked = co_await (*second)->write(bytes_of("still here?"), soon());
        (*second)->finish();
        auto back = co_await read_all(**second);
        EXPECT_TRUE(back && *back == "still here?");
    }(*this));
}

TEST_F(quic_pair, ADroppedStreamIsAResetForTheOtherSideAndItsBytesAreNotMissed) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        const std::string some(200'000, 'z');
        // Far more than the window of the connection in all: credit for what nobody read has to come back.
        for (int i = 0; i < 100; ++i) {
            auto opened = co_await sides.client->open(soon());
            auto written = co_await (*opened)->write(bytes_of(some), soon());
            EXPECT_TRUE(written);
            auto taken = co_await sides.server->accept(soon());
            EXPECT_TRUE(taken);
            transport::bytes part(100);
            auto got = co_await (*taken)->read_some(part, soon());
            EXPECT_TRUE(got);
            taken->reset();
            auto nothing = co_await (*opened)->read_some(part, soon());
            EXPECT_FALSE(nothing);
            EXPECT_TRUE(nothing.error() == errc::reset);
        }
    }(*this));
}

TEST_F(quic_pair, StreamsThatNobodyAcceptsAreBounded) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        int opened = 0;
        for (;; ++opened) {
            auto next = co_await sides.client->open(in(std::chrono::milliseconds(300)));
            if (!next) {
                EXPECT_TRUE(next.error() == errc::deadline);
                break;
            }
            auto written = co_await (*next)->write(bytes_of("x"), soon());
            (*next)->finish();
        }
        EXPECT_EQ(opened, 1024);
        auto first = co_await sides.server->accept(soon());
        first->reset();
        auto again = co_await sides.client->open(soon());
        EXPECT_TRUE(again);
    }(*this));
}

TEST_F(quic_pair, DatagramsArriveWhole) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        const std::string largest(transport::max_datagram_bytes, 'd');
        EXPECT_TRUE(sides.client->send_datagram(bytes_of(largest)));
        auto got = co_await sides.server->receive_datagram(soon());
        EXPECT_TRUE(got && std::string(got->begin(), got->end()) == largest);
        EXPECT_TRUE(sides.client->send_datagram(bytes_of(largest + "d")).error() == errc::too_large);
        auto none = co_await sides.server->receive_datagram(in(std::chrono::milliseconds(20)));
        EXPECT_TRUE(none.error() == errc::deadline);
    }(*this));
}

TEST_F(quic_pair, ACloseTellsTheOtherSideWhyAndEndsEveryWait) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        auto opened = co_await sides.client->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        auto taken = co_await sides.server->accept(soon());
        transport::bytes part(100);
        asio::steady_timer later(t.io_, std::chrono::milliseconds(50));
        later.async_wait([&](const boost::system::error_code&) { sides.client->close("enough"); });
        auto hello = co_await (*taken)->read_some(part, soon());
        EXPECT_TRUE(hello);
        auto after = co_await (*taken)->read_some(part, soon());
        EXPECT_FALSE(after);
        EXPECT_NE(after.error().message.find("enough"), std::string::npos) << after.error().message;
        auto none = co_await sides.server->accept(soon());
        EXPECT_TRUE(none.error() == errc::closed);
        auto here = co_await (*opened)->read_some(part, soon());
        EXPECT_TRUE(here.error() == errc::closed);
        EXPECT_TRUE(sides.client->ended());
    }(*this));
}

TEST_F(quic_pair, APeerThatIsGoneIsNoticed) {
    run([](quic_pair& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        auto opened = co_await sides.client->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        const auto there = t.server_->local();
        // A process that was killed says nothing: its socket is gone, and that is all.
        sides.server.reset();
        t.server_.reset();
        transport::bytes part(100);
        auto got = co_await (*opened)->read_some(part, in(std::chrono::seconds(8)));
        EXPECT_FALSE(got);
        EXPECT_TRUE(got.error() == errc::closed) << got.error().message;
        (void)there;
    }(*this));
}

}  // namespace starling::quic
