// What every transport has to do: the same tests for each. A World makes endpoints:
//
//     struct world { explicit world(asio::io_context&); std::unique_ptr<endpoint> add(const keys::key_pair&); };
//     INSTANTIATE_TYPED_TEST_SUITE_P(Name, transport_contract, world);
#pragma once

#include "keys/keys.hpp"
#include "transport/tests/run.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace starling::transport {

namespace asio = boost::asio;

template <class World>
class transport_contract : public testing::Test {
  public:
    using connection_ptr = std::shared_ptr<connection>;

    struct pair_of_sides {
        connection_ptr client;
        connection_ptr server;
    };

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
            auto next = co_await on->accept(steady_time::max());
            if (!next) {
                co_return;
            }
            asio::co_spawn(io_, echo(std::move(*next)), asio::detached);
        }
    }

    awaitable<void> echo(std::unique_ptr<stream> on) {
        bytes part(16 << 10);
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

    void run(awaitable<void> test) { run_to_end(io_, std::move(test)); }

    awaitable<void> pause(std::chrono::milliseconds time) {
        asio::steady_timer timer(io_, time);
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::io_context io_{1};
    keys::key_pair client_keys_ = keys::key_pair::generate();
    keys::key_pair server_keys_ = keys::key_pair::generate();
    World world_{io_};
    std::unique_ptr<endpoint> client_ = world_.add(client_keys_);
    std::unique_ptr<endpoint> server_ = world_.add(server_keys_);
};

TYPED_TEST_SUITE_P(transport_contract);

TYPED_TEST_P(transport_contract, BothSidesKnowWhoTheOtherIs) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        EXPECT_EQ(sides.client->peer(), t.server_keys_.id());
        EXPECT_EQ(sides.server->peer(), t.client_keys_.id());
        EXPECT_TRUE(sides.client->initiated());
        EXPECT_FALSE(sides.server->initiated());
    }(*this));
}

TYPED_TEST_P(transport_contract, AnotherKeyAtTheAddressIsNotThePeer) {
    this->run([](auto& t) -> awaitable<void> {
        const auto other = keys::key_pair::generate();
        auto made = co_await t.client_->connect(t.server_->local(), other.id(), soon());
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::wrong_peer) << made.error().message;
        EXPECT_NE(made.error().message.find(short_name(t.server_keys_.id())), std::string::npos);
    }(*this));
}

TYPED_TEST_P(transport_contract, AStreamCarriesBytesBothWays) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        asio::co_spawn(t.io_, t.echo_streams(sides.server), asio::detached);
        auto opened = co_await sides.client->open(soon());
        const std::string sent(3 << 20, 'x');
        std::string text = sent;
        std::generate(text.begin(), text.end(),
                      [n = 0U]() mutable { return static_cast<char>(n++ * 2654435761U >> 24); });
        auto writing = [](stream& to, const std::string& what) -> awaitable<void> {
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

TYPED_TEST_P(transport_contract, AThousandStreamsAtATimeAndTenThousandInTurn) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        asio::co_spawn(t.io_, t.echo_streams(sides.server), asio::detached);
        auto ask = [](std::shared_ptr<connection> on, int turns, int& good) -> awaitable<void> {
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
        };
        std::vector<int> good(1000, 0);
        int ended = 0;
        for (int& one : good) {
            asio::co_spawn(t.io_, ask(sides.client, 10, one), [&](std::exception_ptr) { ++ended; });
        }
        while (ended < 1000) {
            co_await t.pause(std::chrono::milliseconds(5));
        }
        EXPECT_EQ(std::count(good.begin(), good.end(), 10), 1000);
    }(*this));
}

TYPED_TEST_P(transport_contract, AWriterWaitsForASlowReader) {
    this->run([](auto& t) -> awaitable<void> {
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

TYPED_TEST_P(transport_contract, ADroppedStreamIsAResetForTheOtherSideAndItsBytesAreNotMissed) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        const std::string some(200'000, 'z');
        // Far more than the window of the connection in all: credit for what nobody read has to come back.
        for (int i = 0; i < 100; ++i) {
            auto opened = co_await sides.client->open(soon());
            auto written = co_await (*opened)->write(bytes_of(some), soon());
            EXPECT_TRUE(written);
            auto taken = co_await sides.server->accept(soon());
            EXPECT_TRUE(taken);
            bytes part(100);
            auto got = co_await (*taken)->read_some(part, soon());
            EXPECT_TRUE(got);
            taken->reset();
            auto nothing = co_await (*opened)->read_some(part, soon());
            EXPECT_FALSE(nothing);
            EXPECT_TRUE(nothing.error() == errc::reset);
        }
    }(*this));
}

TYPED_TEST_P(transport_contract, WhoWritesItsAnswerAndReadsNoMoreIsHeard) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        for (int i = 0; i < 20; ++i) {
            auto asked = co_await sides.client->open(soon());
            auto written = co_await (*asked)->write(bytes_of("question"), soon());
            EXPECT_TRUE(written);
            auto taken = co_await sides.server->accept(soon());
            EXPECT_TRUE(taken);
            bytes part(100);
            auto got = co_await (*taken)->read_some(part, soon());
            EXPECT_TRUE(got);
            auto answered = co_await (*taken)->write(bytes_of("answer"), soon());
            EXPECT_TRUE(answered);
            (*taken)->finish();
            taken->reset();
            EXPECT_TRUE(sides.server->send_datagram(bytes_of("goes out before streams")));
            auto answer = co_await read_all(**asked);
            EXPECT_TRUE(answer) << answer.error().message;
            EXPECT_EQ(*answer, "answer");
        }
    }(*this));
}

TYPED_TEST_P(transport_contract, StreamsAreCountedOnBothSidesUntilTheyAreOver) {
    this->run([](auto& t) -> awaitable<void> {
        auto [client, server] = co_await t.meet();
        EXPECT_EQ(client->facts().streams, 0U);
        auto opened = co_await client->open(soon());
        auto written = co_await (*opened)->write(bytes_of("x"), soon());
        auto taken = co_await server->accept(soon());
        EXPECT_TRUE(written && taken);
        EXPECT_EQ(client->facts().streams, 1U);
        EXPECT_EQ(server->facts().streams, 1U);
        taken->reset();
        opened->reset();
        const auto limit = soon();
        while (client->facts().streams + server->facts().streams > 0 && std::chrono::steady_clock::now() < limit) {
            co_await t.pause(std::chrono::milliseconds(1));
        }
        EXPECT_EQ(client->facts().streams, 0U);
        EXPECT_EQ(server->facts().streams, 0U);
    }(*this));
}

TYPED_TEST_P(transport_contract, StreamsThatNobodyAcceptsAreBounded) {
    this->run([](auto& t) -> awaitable<void> {
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

TYPED_TEST_P(transport_contract, DatagramsArriveWhole) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        const std::string largest(max_datagram_bytes, 'd');
        EXPECT_TRUE(sides.client->send_datagram(bytes_of(largest)));
        auto got = co_await sides.server->receive_datagram(soon());
        EXPECT_TRUE(got && std::string(got->begin(), got->end()) == largest);
        EXPECT_TRUE(sides.client->send_datagram(bytes_of(largest + "d")).error() == errc::too_large);
        auto none = co_await sides.server->receive_datagram(in(std::chrono::milliseconds(20)));
        EXPECT_TRUE(none.error() == errc::deadline);
    }(*this));
}

TYPED_TEST_P(transport_contract, ACloseTellsTheOtherSideWhyAndEndsEveryWait) {
    this->run([](auto& t) -> awaitable<void> {
        auto sides = co_await t.meet();
        auto opened = co_await sides.client->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        auto taken = co_await sides.server->accept(soon());
        bytes part(100);
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

REGISTER_TYPED_TEST_SUITE_P(transport_contract, BothSidesKnowWhoTheOtherIs, AnotherKeyAtTheAddressIsNotThePeer,
                            AStreamCarriesBytesBothWays, AThousandStreamsAtATimeAndTenThousandInTurn,
                            AWriterWaitsForASlowReader, ADroppedStreamIsAResetForTheOtherSideAndItsBytesAreNotMissed,
                            WhoWritesItsAnswerAndReadsNoMoreIsHeard, StreamsAreCountedOnBothSidesUntilTheyAreOver,
                            StreamsThatNobodyAcceptsAreBounded, DatagramsArriveWhole,
                            ACloseTellsTheOtherSideWhyAndEndsEveryWait);

}  // namespace starling::transport
