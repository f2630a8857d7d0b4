// Bad lines, peers that vanish, and strangers.
#include "lossy_carrier.hpp"
#include "quic_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>

namespace starling::quic {

class hostile : public quic_test {
  public:
    struct on_a_bad_line {
        std::shared_ptr<lossy_carrier> line;
        std::unique_ptr<transport::endpoint> endpoint;
    };

    on_a_bad_line make_lossy(const keys::key_pair& keys, double loss, std::uint16_t port = 0) {
        auto udp = make_udp_carrier(io_.get_executor(), loopback(port));
        EXPECT_TRUE(udp) << udp.error().message;
        on_a_bad_line out;
        out.line = std::make_shared<lossy_carrier>(*udp, loss, 7);
        auto made = create(io_.get_executor(), out.line, keys, {});
        EXPECT_TRUE(made);
        out.endpoint = std::move(*made);
        return out;
    }

    awaitable<std::shared_ptr<transport::connection>> meet(transport::endpoint& from, transport::endpoint& to,
                                                           const keys::key_pair& keys) {
        auto made = co_await from.connect(to.local(), keys.id(), soon());
        EXPECT_TRUE(made) << made.error().message;
        co_return *made;
    }
};

TEST_F(hostile, TenPercentLossLosesNothing) {
    run([](hostile& t) -> awaitable<void> {
        auto bad = t.make_lossy(keys::key_pair::generate(), 0.1);
        auto made = co_await t.meet(*bad.endpoint, *t.server_, t.server_keys_);
        auto taken = co_await t.server_->accept();
        auto opened = co_await made->open(soon());
        const std::string much(2 << 20, 'q');
        auto writing = [](transport::stream& to, const std::string& what) -> awaitable<void> {
            auto written = co_await to.write(bytes_of(what), soon());
            EXPECT_TRUE(written);
            to.finish();
        };
        asio::co_spawn(t.io_, writing(**opened, much), asio::detached);
        auto arrived = co_await (*taken)->accept(soon());
        auto all = co_await read_all(**arrived);
        EXPECT_TRUE(all && *all == much);
    }(*this));
}

TEST_F(hostile, AProcessThatWasKilledIsNoticedWithinASecond) {
    run([](hostile& t) -> awaitable<void> {
        const auto keys = keys::key_pair::generate();
        auto killed = t.make_lossy(keys, 0.0);
        auto made = co_await t.meet(*t.client_, *killed.endpoint, keys);
        auto opened = co_await made->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        co_await t.pause(std::chrono::milliseconds(50));
        killed.line->set_loss(1.0);  // no word of farewell
        killed.endpoint.reset();     // and its socket is gone
        transport::bytes part(100);
        auto got = co_await (*opened)->read_some(part, in(std::chrono::seconds(5)));
        EXPECT_FALSE(got);
        EXPECT_TRUE(got.error() == errc::closed) << got.error().message;
    }(*this));
}

TEST_F(hostile, ASilentPeerIsHeardLastLongAgo) {
    run([](hostile& t) -> awaitable<void> {
        const auto keys = keys::key_pair::generate();
        auto cut = t.make_lossy(keys, 0.0);
        auto made = co_await t.meet(*t.client_, *cut.endpoint, keys);
        auto opened = co_await made->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        co_await t.pause(std::chrono::milliseconds(700));
        EXPECT_LT(std::chrono::steady_clock::now() - made->facts().last_heard, std::chrono::milliseconds(500));
        cut.line->set_loss(1.0);
        const auto at = std::chrono::steady_clock::now();
        co_await t.pause(std::chrono::milliseconds(700));
        EXPECT_LE(made->facts().last_heard, at);
        EXPECT_FALSE(made->ended());
    }(*this));
}

TEST_F(hostile, APeerThatWasRestartedSaysThatItKnowsNothing) {
    run([](hostile& t) -> awaitable<void> {
        const auto keys = keys::key_pair::generate();
        auto before = t.make_lossy(keys, 0.0);
        const auto port = before.endpoint->local().port();
        auto made = co_await t.meet(*t.client_, *before.endpoint, keys);
        auto opened = co_await made->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        co_await t.pause(std::chrono::milliseconds(50));
        before.line->set_loss(1.0);
        before.endpoint.reset();
        auto after = t.make_lossy(keys, 0.0, port);
        transport::bytes part(100);
        auto got = co_await (*opened)->read_some(part, in(std::chrono::seconds(5)));
        EXPECT_FALSE(got);
        EXPECT_TRUE(got.error() == errc::closed);
        EXPECT_NE(got.error().message.find("knows nothing"), std::string::npos) << got.error().message;
        auto again = co_await t.client_->connect(after.endpoint->local(), keys.id(), soon());
        EXPECT_TRUE(again);
    }(*this));
}

TEST_F(hostile, UnderLoadANewcomerProvesItsAddressFirst) {
    run([](hostile& t) -> awaitable<void> {
        const auto keys = keys::key_pair::generate();
        auto busy = t.make(keys, {.retry_above = 0});
        auto made = co_await t.client_->connect(busy->local(), keys.id(), soon());
        EXPECT_TRUE(made) << made.error().message;
        // A first packet from a stranger is answered with a Retry (type 3) and leaves nothing behind.
        asio::ip::udp::socket stranger(t.io_, loopback());
        asio::ip::udp::socket spy(t.io_, loopback());
        auto other = t.make(keys::key_pair::generate());
        asio::co_spawn(
            t.io_,
            [](transport::endpoint& from, address to, node_id peer) -> awaitable<void> {
                auto refused = co_await from.connect(to, peer, in(std::chrono::milliseconds(300)));
                EXPECT_FALSE(refused);
            }(*other, spy.local_endpoint(), keys.id()),
            asio::detached);
        transport::bytes first(2000);
        const auto size = co_await spy.async_receive(asio::buffer(first), asio::use_awaitable);
        co_await stranger.async_send_to(asio::buffer(first.data(), size), busy->local(), asio::use_awaitable);
        transport::bytes answer(2000);
        const auto got = co_await stranger.async_receive(asio::buffer(answer), asio::use_awaitable);
        EXPECT_GT(got, 0U);
        EXPECT_EQ(answer[0] & 0xB0, 0xB0) << "a long header of type Retry";
        co_await t.pause(std::chrono::milliseconds(400));
    }(*this));
}

TEST_F(hostile, AConnectThatIsCancelledLeavesNothingBehind) {
    asio::cancellation_signal cancel;
    const auto keys = keys::key_pair::generate();
    auto there = make_lossy(keys, 1.0);  // answers only once the line is good again
    std::exception_ptr thrown;
    auto connecting = [](transport::endpoint& from, address to, node_id whom) -> awaitable<void> {
        auto made = co_await from.connect(to, whom, soon());
        ADD_FAILURE() << "not cancelled";
    };
    asio::co_spawn(io_, connecting(*client_, there.endpoint->local(), keys.id()),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { thrown = e; }));
    run([](hostile& t, asio::cancellation_signal& stop, on_a_bad_line& other) -> awaitable<void> {
        co_await t.pause(std::chrono::milliseconds(50));
        stop.emit(asio::cancellation_type::terminal);
        other.line->set_loss(0.0);
        co_await t.pause(std::chrono::milliseconds(1'500));  // longer than until the next first packet
    }(*this, cancel, there));
    EXPECT_TRUE(thrown);
    auto nobody = [](transport::endpoint& at, bool& came) -> awaitable<void> {
        auto taken = co_await at.accept();
        came = taken.has_value();
    };
    bool came = false;
    asio::co_spawn(io_, nobody(*there.endpoint, came), asio::detached);
    io_.poll();
    EXPECT_FALSE(came) << "the connection was made all the same";
}

TEST_F(hostile, MoreConnectionsThanAnyoneTakesAreClosed) {
    run([](hostile& t) -> awaitable<void> {
        std::vector<std::shared_ptr<transport::connection>> made;
        for (int i = 0; i < 300; ++i) {
            auto one = co_await t.client_->connect(t.server_->local(), t.server_keys_.id(), soon());
            if (one) {
                made.push_back(*one);
            }
        }
        co_await t.pause(std::chrono::milliseconds(100));
        const auto live = std::count_if(made.begin(), made.end(), [](const auto& one) { return !one->ended(); });
        EXPECT_EQ(live, 256);
    }(*this));
}

TEST_F(hostile, AnUnknownVersionIsAnsweredWithOurs) {
    run([](hostile& t) -> awaitable<void> {
        asio::ip::udp::socket stranger(t.io_, loopback());
        transport::bytes packet(1'200, 0);
        const std::uint8_t head[] = {0xC0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6,
                                     7,    8,    8,    9,    9,    9, 9, 9, 9, 9, 9};
        std::copy(std::begin(head), std::end(head), packet.begin());
        co_await stranger.async_send_to(asio::buffer(packet), t.server_->local(), asio::use_awaitable);
        transport::bytes answer(2000);
        const auto got = co_await stranger.async_receive(asio::buffer(answer), asio::use_awaitable);
        EXPECT_GE(got, 27U);
        const std::vector<std::uint8_t> version(answer.begin() + 1, answer.begin() + 5);
        EXPECT_EQ(version, (std::vector<std::uint8_t>{0, 0, 0, 0}));
        EXPECT_EQ(answer[static_cast<std::size_t>(got) - 1], 1) << "QUIC version 1";
    }(*this));
}

TEST_F(hostile, GarbageAtFullSpeedDisturbsNobody) {
    run([](hostile& t) -> awaitable<void> {
        auto made = co_await t.meet(*t.client_, *t.server_, t.server_keys_);
        auto taken = co_await t.server_->accept();
        asio::ip::udp::socket stranger(t.io_, loopback());
        transport::bytes packet(1'300);
        for (std::uint64_t i = 0; i < 20'000; ++i) {
            const auto noise = philox4x32(99, i);
            const std::size_t size = 1 + noise[0] % packet.size();
            for (std::size_t k = 0; k < size; ++k) {
                packet[k] = static_cast<std::uint8_t>(philox4x32(i, k / 16)[k / 4 % 4] >> (8 * (k % 4)));
            }
            packet[0] = static_cast<std::uint8_t>(i % 3 == 0 ? packet[0] | 0xC0 : packet[0] | 0x40);
            if (i % 5 == 0 && size > 5) {
                std::fill_n(packet.begin() + 1, 3, std::uint8_t{0});
                packet[4] = 1;
            }
            boost::system::error_code full;
            stranger.send_to(asio::buffer(packet.data(), size), t.server_->local(), 0, full);
            if (i % 64 == 0) {
                co_await t.pause(std::chrono::milliseconds(0));
            }
        }
        auto opened = co_await made->open(soon());
        auto written = co_await (*opened)->write(bytes_of("hello"), soon());
        auto arrived = co_await (*taken)->accept(soon());
        EXPECT_TRUE(arrived);
    }(*this));
}

}  // namespace starling::quic
