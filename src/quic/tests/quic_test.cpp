#include "quic_fixture.hpp"

#include <boost/asio/ip/udp.hpp>

namespace starling::quic {

template <bool V6>
struct udp_world {
    explicit udp_world(asio::io_context& on) : io(on) {}

    std::unique_ptr<transport::endpoint> add(const keys::key_pair& keys) {
        const address here = V6 ? address(asio::ip::address_v6::loopback(), 0) : loopback();
        auto made = listen(io.get_executor(), here, keys);
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }

    asio::io_context& io;
};

}  // namespace starling::quic

namespace starling::transport {

using over_ipv4 = quic::udp_world<false>;
using over_ipv6 = quic::udp_world<true>;
INSTANTIATE_TYPED_TEST_SUITE_P(QuicIpv4, transport_contract, over_ipv4);
INSTANTIATE_TYPED_TEST_SUITE_P(QuicIpv6, transport_contract, over_ipv6);

}  // namespace starling::transport

namespace starling::quic {

TEST_F(quic_test, NobodyThereIsSaidAtOnceWhereTheNetworkSaysSo) {
    run([](quic_test& t) -> awaitable<void> {
        const auto nobody = t.server_->local();
        t.server_->stop();
        auto made = co_await t.client_->connect(nobody, t.server_keys_.id(), soon());
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::unreachable) << made.error().message;
    }(*this));
}

TEST_F(quic_test, AConnectThatGetsNoAnswerEndsAtItsDeadline) {
    run([](quic_test& t) -> awaitable<void> {
        asio::ip::udp::socket deaf(t.io_, loopback());
        auto made =
            co_await t.client_->connect(deaf.local_endpoint(), t.server_keys_.id(), in(std::chrono::milliseconds(200)));
        EXPECT_FALSE(made);
        EXPECT_TRUE(made.error() == errc::deadline) << made.error().message;
    }(*this));
}

TEST_F(quic_test, ASocketForBothFamiliesKnowsIpv4AddressesAsSuch) {
    run([](quic_test& t) -> awaitable<void> {
        const auto keys = keys::key_pair::generate();
        auto both = listen(t.io_.get_executor(), address(asio::ip::address_v6::any(), 0), keys);
        EXPECT_TRUE(both);
        auto made = co_await t.client_->connect(loopback((*both)->local().port()), keys.id(), soon());
        EXPECT_TRUE(made) << made.error().message;
        auto taken = co_await (*both)->accept();
        EXPECT_EQ((*taken)->facts().remote, t.client_->local());
        auto back = co_await (*both)->connect(t.server_->local(), t.server_keys_.id(), soon());
        EXPECT_TRUE(back) << back.error().message;
        EXPECT_GT((*back)->facts().round_trip.count(), 0);
    }(*this));
}

TEST_F(quic_test, ATakenPortIsSaid) {
    const auto refused = listen(io_.get_executor(), server_->local(), client_keys_);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::cannot_listen);
    EXPECT_NE(refused.error().message.find("--peer-port"), std::string::npos) << refused.error().message;
}

}  // namespace starling::quic
