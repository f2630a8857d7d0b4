#include "transport/memory_network.hpp"

#include "contract.hpp"

namespace starling::transport {

struct memory_world {
    explicit memory_world(asio::io_context& io) : network(io.get_executor()) {}

    std::unique_ptr<endpoint> add(const keys::key_pair& keys) { return network.add(keys.id()); }

    memory_network network;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, transport_contract, memory_world);

TEST(MemoryNetwork, ACutLineIsSilentUntilItIsHealed) {
    asio::io_context io;
    memory_network network(io.get_executor());
    const auto a_keys = keys::key_pair::generate();
    const auto b_keys = keys::key_pair::generate();
    const auto a = network.add(a_keys.id());
    const auto b = network.add(b_keys.id());
    run_to_end(io, [](memory_network& net, endpoint& from, endpoint& to, node_id whom) -> awaitable<void> {
        auto made = co_await from.connect(to.local(), whom, soon());
        auto taken = co_await to.accept();
        net.cut(to.local(), from.local());
        const auto cut_at = std::chrono::steady_clock::now();
        EXPECT_TRUE((*made)->send_datagram(bytes_of("lost")));
        auto nothing = co_await (*taken)->receive_datagram(in(std::chrono::milliseconds(20)));
        EXPECT_TRUE(nothing.error() == errc::deadline);
        EXPECT_LE((*taken)->facts().last_heard, cut_at);
        auto refused = co_await from.connect(to.local(), whom, in(std::chrono::milliseconds(20)));
        EXPECT_TRUE(refused.error() == errc::deadline);
        EXPECT_FALSE((*made)->ended()) << "nobody was told";
        net.heal(from.local(), to.local());
        EXPECT_TRUE((*made)->send_datagram(bytes_of("heard")));
        auto heard = co_await (*taken)->receive_datagram(soon());
        EXPECT_TRUE(heard);
    }(network, *a, *b, b_keys.id()));
}

TEST(MemoryNetwork, AnEndpointThatStopsTakesItsConnectionsWithIt) {
    asio::io_context io;
    memory_network network(io.get_executor());
    const auto keys = keys::key_pair::generate();
    const auto a = network.add(keys::key_pair::generate().id());
    auto b = network.add(keys.id());
    run_to_end(io, [](endpoint& from, std::unique_ptr<endpoint>& to, node_id whom) -> awaitable<void> {
        auto made = co_await from.connect(to->local(), whom, soon());
        const auto there = to->local();
        to.reset();
        EXPECT_TRUE((*made)->ended());
        auto refused = co_await from.connect(there, whom, soon());
        EXPECT_TRUE(refused.error() == errc::unreachable);
    }(*a, b, keys.id()));
}

}  // namespace starling::transport
