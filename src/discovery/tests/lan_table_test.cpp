#include "discovery/lan_table.hpp"

#include "discovery/interfaces.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace starling::discovery {

namespace ip = boost::asio::ip;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unix_time_s unix_now = 1'800'000'000;
const mesh_tag ours{1};
const mesh_tag others{2};

node_id node(int number) {
    node_id out;
    out.bytes[0] = static_cast<std::uint8_t>(number);
    out.bytes[1] = static_cast<std::uint8_t>(number >> 8);
    return out;
}

address at(const char* host = "192.0.2.7", std::uint16_t port = 9339) {
    return {ip::make_address(host), port};
}

class lan_table_test : public testing::Test {
  public:
    moment in(duration later) const { return {.steady = start_ + later, .unix_s = unix_now}; }

    beacon from(int who, beacon_kind kind = beacon_kind::member, mesh_tag mesh = ours) const {
        return {.kind = kind, .mesh = mesh, .node = node(who), .port = 9338, .sent_s = unix_now, .name = "kitchen"};
    }

    /// As the driver does it, with a signature that holds.
    std::optional<sighting> hear(const beacon& what, duration later, const address& where = at()) {
        return table_.worth_verifying(what, where, in(later)) ? table_.take(what, where, start_ + later) : std::nullopt;
    }

    /// Sends until nothing is due; when each was sent.
    std::vector<duration> send_until(duration end) {
        std::vector<duration> out;
        while (table_.next_due() <= start_ + end) {
            const auto due = table_.next_due();
            table_.take_due({.steady = due, .unix_s = unix_now});
            out.push_back(due - start_);
        }
        return out;
    }

    steady_time start_ = steady_time(seconds(1'000));
    lan_table table_{node(0), {.kind = beacon_kind::member, .mesh = ours, .port = 9338, .name = "me"}, start_, 7};
};

TEST_F(lan_table_test, ThreeAtOnceAndThenNowAndThen) {
    const auto sent = send_until(seconds(600));
    ASSERT_GT(sent.size(), 100U);
    EXPECT_EQ(sent[0], duration(0));
    EXPECT_EQ(sent[1], burst_gap);
    EXPECT_EQ(sent[2], 2 * burst_gap);
    bool alike = true;
    for (std::size_t i = 3; i < sent.size(); ++i) {
        const auto gap = sent[i] - sent[i - 1];
        EXPECT_GE(gap, beacon_interval - interval_jitter);
        EXPECT_LE(gap, beacon_interval + interval_jitter);
        alike = alike && gap == sent[3] - sent[2];
    }
    EXPECT_FALSE(alike);
}

TEST_F(lan_table_test, TheFirstOnesWantAnswers) {
    for (int i = 0; i < burst_beacons; ++i) {
        EXPECT_TRUE(table_.take_due(in(i * burst_gap)).wants_answer);
    }
    const auto later = table_.take_due(in(seconds(5)));
    EXPECT_FALSE(later.wants_answer);
    EXPECT_EQ(later.mesh, ours);
    EXPECT_EQ(later.port, 9338);
    EXPECT_EQ(later.sent_s, unix_now);
}

TEST_F(lan_table_test, ANewcomerIsAnsweredWithinASecondAndAHundredOfThemOnce) {
    send_until(seconds(60));
    const auto last = send_until(seconds(70)).back();
    for (int i = 1; i <= 100; ++i) {
        auto wish = from(i);
        wish.wants_answer = true;
        EXPECT_TRUE(hear(wish, last + milliseconds(i)));
    }
    EXPECT_LE(table_.next_due(), start_ + last + seconds(1));
    EXPECT_GE(table_.next_due(), start_ + last + answer_gap);
    EXPECT_EQ(send_until(last + seconds(3)).size(), 1U);
}

TEST_F(lan_table_test, ARestartedNodeIsAnsweredToo) {
    send_until(seconds(60));
    auto wish = from(1);
    EXPECT_TRUE(hear(wish, seconds(60)));
    const auto before = table_.next_due();
    EXPECT_FALSE(hear(wish, seconds(60)));
    EXPECT_EQ(table_.next_due(), before);
    wish.wants_answer = true;
    EXPECT_FALSE(hear(wish, seconds(60)));
    EXPECT_LT(table_.next_due(), before);
}

TEST_F(lan_table_test, ANodeIsReportedNowAndThenAndWhenItHasChanged) {
    const auto first = hear(from(1), seconds(1));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->node, node(1));
    EXPECT_EQ(first->where, at("192.0.2.7", 9338));
    EXPECT_EQ(first->name, "kitchen");
    EXPECT_FALSE(hear(from(1), seconds(6)));
    EXPECT_TRUE(hear(from(1), seconds(6), at("192.0.2.8")));
    EXPECT_TRUE(hear(from(1), seconds(16)));
    EXPECT_FALSE(hear(from(1), seconds(17)));
    EXPECT_TRUE(hear(from(1, beacon_kind::seeking, {}), seconds(17)));
}

TEST_F(lan_table_test, WhatIsOursOldOrOfOthersIsLeftAlone) {
    EXPECT_FALSE(hear(from(0), seconds(1)));
    EXPECT_FALSE(hear(from(1, beacon_kind::member, others), seconds(1)));
    EXPECT_TRUE(hear(from(2, beacon_kind::seeking, {}), seconds(1)));
    auto old = from(3);
    old.sent_s = unix_now - clock_skew_s - 1;
    EXPECT_FALSE(hear(old, seconds(1)));
    table_.announce({.kind = beacon_kind::seeking, .mesh = {}, .port = 9338, .name = "me"}, start_);
    EXPECT_TRUE(hear(from(1, beacon_kind::member, others), seconds(1)));
    EXPECT_TRUE(hear(from(4), seconds(1)));
    EXPECT_FALSE(hear(from(5, beacon_kind::seeking, {}), seconds(1)));
}

TEST_F(lan_table_test, AFloodCostsSoMuchAndNoMore) {
    int verified = 0;
    for (int i = 1; i <= 10'000; ++i) {
        verified += table_.worth_verifying(from(i), at(), in(milliseconds(i / 10))) ? 1 : 0;
    }
    EXPECT_GE(verified, 200);
    EXPECT_LE(verified, 401);
}

TEST_F(lan_table_test, ItsSizeIsBoundedAndTheOldestGo) {
    int i = 0;
    for (; i < 1'000; ++i) {
        EXPECT_TRUE(hear(from(i + 1), i * milliseconds(10)));
    }
    EXPECT_EQ(table_.size(), max_places);
    EXPECT_FALSE(hear(from(i), i * milliseconds(10)));
    EXPECT_TRUE(hear(from(1), i * milliseconds(10)));
    for (int place = 0; place < 10; ++place) {
        const address where(ip::address_v4(0xC0000200U + static_cast<unsigned>(place)), 9339);
        EXPECT_TRUE(hear(from(7), seconds(20) + milliseconds(place), where));
    }
    EXPECT_EQ(table_.size(), max_places);
    EXPECT_FALSE(hear(from(7), seconds(21), at("192.0.2.9")));
    EXPECT_TRUE(hear(from(7), seconds(21), at("192.0.2.1")));
}

TEST(Interfaces, AreThoseWhereANodeIsReached) {
    const lan_interface lo{.index = 1, .v4 = ip::make_address_v4("127.0.0.1"), .link_local_v6 = {}};
    const lan_interface eth{.index = 2,
                            .v4 = ip::make_address_v4("192.0.2.2"),
                            .link_local_v6 = ip::address_v6(ip::make_address_v6("fe80::1").to_bytes(), 2)};
    const lan_interface eth_v4{.index = 2, .v4 = eth.v4, .link_local_v6 = {}};
    using all = std::vector<lan_interface>;
    EXPECT_EQ(reachable_on({lo, eth}, at("::")), (all{lo, eth}));
    EXPECT_EQ(reachable_on({lo, eth}, at("0.0.0.0")), (all{lo, eth_v4}));
    EXPECT_EQ(reachable_on({lo, eth}, at("127.0.0.1")), (all{lo}));
    EXPECT_EQ(reachable_on({lo, eth}, at("192.0.2.2")), (all{eth_v4}));
    EXPECT_EQ(reachable_on({lo, eth}, at("192.0.2.3")), (all{}));
    EXPECT_EQ(reachable_on(all(100, lo), at("::")).size(), max_interfaces);
}

}  // namespace starling::discovery
