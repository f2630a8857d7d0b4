// Real datagrams on this machine's own interfaces.
#include "discovery/discovery.hpp"

#include "discovery/lan_socket.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <list>
#include <memory>
#include <vector>

namespace starling::discovery {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;

/// A datagram to the group comes back on loopback.
bool loopback_multicasts(asio::io_context& io, std::uint16_t port) {
    auto opened = lan_socket::open(io.get_executor(), family::v4, port);
    if (!opened || !opened->use({{.index = 1, .v4 = ip::address_v4::loopback(), .link_local_v6 = {}}})) {
        return false;
    }
    const std::array<std::uint8_t, 1> sent{'?'};
    opened->send(sent);
    std::array<std::uint8_t, 8> got{};
    return opened->receive(got).has_value();
}

class discovery_test : public testing::Test {
  public:
    struct node {
        keys::key_pair keys = keys::key_pair::generate();
        std::vector<sighting> found;
        std::unique_ptr<lan_discovery> lan;
        asio::cancellation_signal cancel;
        bool ended = false;
    };

    void SetUp() override {
        if (!loopback_multicasts(io_, port)) {
            GTEST_SKIP() << "loopback does not multicast here";
        }
    }

    void TearDown() override {
        for (node& one : nodes_) {
            one.cancel.emit(asio::cancellation_type::terminal);
        }
        EXPECT_TRUE(run_until(
            [&] { return std::all_of(nodes_.begin(), nodes_.end(), [](const node& one) { return one.ended; }); },
            std::chrono::seconds(1)));
    }

    node& start(const std::string& name, std::optional<node_id> mesh, std::uint16_t quic_port,
                const ip::address& on = ip::address_v4::loopback(), presence how = presence::announced) {
        node& made = nodes_.emplace_back();
        lan_options options{.name = name, .mesh = mesh, .listens = {on, quic_port}};
        options.presence = how;
        options.port = port;
        auto created = lan_discovery::create(io_.get_executor(), made.keys, options,
                                             [&made](const sighting& what) { made.found.push_back(what); });
        EXPECT_TRUE(created) << created.error().message;
        made.lan = std::move(*created);
        asio::co_spawn(io_, made.lan->run(),
                       asio::bind_cancellation_slot(made.cancel.slot(),
                                                    [&made](const std::exception_ptr&) { made.ended = true; }));
        return made;
    }

    template <class Condition>
    bool run_until(Condition holds, std::chrono::milliseconds at_most) {
        const auto end = std::chrono::steady_clock::now() + at_most;
        while (!holds() && std::chrono::steady_clock::now() < end) {
            io_.run_for(std::chrono::milliseconds(10));
        }
        return holds();
    }

    static bool has_found(const node& who, const node& whom) {
        return std::any_of(who.found.begin(), who.found.end(),
                           [&](const sighting& one) { return one.node == whom.keys.id(); });
    }

    static constexpr std::uint16_t port = 29'339;  // not that of a node that runs here
    asio::io_context io_{1};
    std::list<node> nodes_;
    node_id mesh_ = keys::key_pair::generate().id();
};

TEST_F(discovery_test, TwoMembersFindEachOtherWithinASecond) {
    node& a = start("a", mesh_, 1'001);
    run_until([] { return false; }, std::chrono::milliseconds(800));  // the first one has said all that it says at once
    node& b = start("b", mesh_, 1'002);
    EXPECT_TRUE(run_until([&] { return has_found(a, b) && has_found(b, a); }, std::chrono::seconds(1)));
    ASSERT_TRUE(has_found(a, b));
    EXPECT_EQ(a.found[0].where, address(ip::address_v4::loopback(), 1'002));
    EXPECT_EQ(a.found[0].name, "b");
    EXPECT_EQ(a.found[0].kind, beacon_kind::member);
    EXPECT_EQ(a.found.size(), 1U);
}

TEST_F(discovery_test, WhoSeeksFindsMembersAndIsSeenAndThenBelongs) {
    node& member = start("member", mesh_, 1'001);
    node& stranger = start("stranger", keys::key_pair::generate().id(), 1'002);
    node& seeker = start("seeker", std::nullopt, 1'003);
    EXPECT_TRUE(
        run_until([&] { return has_found(seeker, member) && has_found(seeker, stranger) && has_found(member, seeker); },
                  std::chrono::seconds(2)));
    EXPECT_FALSE(has_found(member, stranger));
    EXPECT_EQ(member.found[0].kind, beacon_kind::seeking);
    member.found.clear();
    seeker.lan->belong_to(mesh_);
    EXPECT_TRUE(run_until([&] { return has_found(member, seeker); }, std::chrono::seconds(1)));
    EXPECT_EQ(member.found[0].kind, beacon_kind::member);
}

TEST_F(discovery_test, WhoIsSilentHearsAndIsNotHeard) {
    node& silent = start("silent", mesh_, 1'001, ip::address_v4::loopback(), presence::silent);
    node& a = start("a", mesh_, 1'002);
    EXPECT_TRUE(run_until([&] { return has_found(silent, a); }, std::chrono::seconds(1)));
    run_until([] { return false; }, std::chrono::seconds(1));  // an answer would be out by then
    EXPECT_FALSE(has_found(a, silent));
}

TEST_F(discovery_test, ANodeThatListensEverywhereIsFoundAtEachOfItsAddresses) {
    const auto here = reachable_on(list_interfaces(), {ip::address_v6::any(), 1});
    std::size_t places = 0;
    for (const lan_interface& one : here) {
        places += (one.v4 ? 1U : 0U) + (one.link_local_v6 ? 1U : 0U);
    }
    node& a = start("a", mesh_, 1'001, ip::address_v6::any());
    node& b = start("b", mesh_, 1'002, ip::address_v6::any());
    run_until([&] { return a.found.size() >= places; }, std::chrono::seconds(1));
    EXPECT_TRUE(has_found(a, b) && has_found(b, a));
    for (const sighting& one : a.found) {
        const bool known = std::any_of(here.begin(), here.end(), [&](const lan_interface& each) {
            return (each.v4 && one.where.address() == *each.v4) ||
                   (each.link_local_v6 && one.where.address() == *each.link_local_v6);
        });
        EXPECT_TRUE(known) << one.where;
    }
    RecordProperty("places", static_cast<int>(a.found.size()));
}

TEST_F(discovery_test, ItEndsWhenItIsCancelled) {
    node& a = start("a", mesh_, 1'001);
    run_until([] { return false; }, std::chrono::milliseconds(50));
    a.cancel.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(run_until([&] { return a.ended; }, std::chrono::seconds(1)));
}

TEST_F(discovery_test, AnAddressThatIsNotHereCannotBeAnnounced) {
    const auto made = lan_discovery::create(
        io_.get_executor(), keys::key_pair::generate(),
        {.name = "a", .mesh = mesh_, .listens = {ip::make_address("203.0.113.77"), 1'001}, .port = port}, {});
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error() == errc::no_interface);
    EXPECT_FALSE(made.error().message.empty());
}

}  // namespace starling::discovery
