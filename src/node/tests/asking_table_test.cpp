#include "node/asking_table.hpp"

#include <gtest/gtest.h>

namespace starling::node {
namespace {

using discovery::beacon_kind;
using discovery::mesh_tag;
using namespace std::chrono_literals;

const steady_time start{};

node_id id(unsigned n) {
    node_id out;
    out.bytes[0] = static_cast<std::uint8_t>(n);
    out.bytes[1] = static_cast<std::uint8_t>(n >> 8U);
    return out;
}

discovery::sighting member(unsigned n, std::uint8_t mesh = 1, std::uint16_t port = 1) {
    discovery::sighting out;
    out.node = id(n);
    out.where = {boost::asio::ip::address_v4::loopback(), port};
    out.kind = beacon_kind::member;
    out.mesh = mesh_tag{mesh};
    return out;
}

TEST(asking_table, NobodyIsKnownAtFirst) {
    asking_table table;
    EXPECT_FALSE(table.take(start));
    EXPECT_EQ(table.next_due(), steady_time::max());
}

TEST(asking_table, EveryMemberIsAskedAndThenTheFirstAgain) {
    asking_table table;
    table.heard(member(1), start);
    table.heard(member(2), start + 1s);
    table.heard(member(1), start + 2s);  // heard again: no reason to ask sooner or later
    EXPECT_EQ(table.take(start + 3s)->node, id(1));
    EXPECT_EQ(table.take(start + 4s)->node, id(2));
    EXPECT_FALSE(table.take(start + 5s));
    EXPECT_EQ(table.next_due(), start + 3s + ask_again_after);
    EXPECT_EQ(table.take(table.next_due())->node, id(1));
}

TEST(asking_table, WhatTookLongIsNotAskedAgainAtOnce) {
    asking_table table;
    table.heard(member(1), start);
    EXPECT_TRUE(table.take(start));
    table.put_off(id(1), start + 600s);
    EXPECT_FALSE(table.take(start + 601s));
    EXPECT_TRUE(table.take(start + 600s + ask_again_after));
}

TEST(asking_table, WhoSeeksIsNotAsked) {
    asking_table table;
    auto other = member(1);
    other.kind = beacon_kind::seeking;
    table.heard(other, start);
    EXPECT_FALSE(table.take(start));
}

TEST(asking_table, APersonsNoHoldsForTheWholeMesh) {
    asking_table table;
    table.heard(member(1, 1), start);
    table.heard(member(2, 1), start);
    table.heard(member(3, 2), start);
    table.refused_by(mesh_tag{1});
    table.heard(member(4, 1), start);
    EXPECT_EQ(table.take(start)->node, id(3));
    EXPECT_FALSE(table.take(start + 1s));
}

TEST(asking_table, OnesOwnNoHoldsForOneNode) {
    asking_table table;
    table.heard(member(1), start);
    table.heard(member(2), start);
    table.declined(id(1));
    table.heard(member(1), start);
    EXPECT_EQ(table.take(start)->node, id(2));
    EXPECT_FALSE(table.take(start));
}

TEST(asking_table, PlacesOfANodeTheLastHeardFirst) {
    asking_table table;
    for (std::uint16_t port = 1; port <= 6; ++port) {
        table.heard(member(1, 1, port), start);
    }
    table.heard(member(1, 1, 4), start);
    const auto places = table.take(start)->places;
    ASSERT_EQ(places.size(), max_member_places);
    EXPECT_EQ(places[0].port(), 4);
    EXPECT_EQ(places[1].port(), 6);
    EXPECT_EQ(places[3].port(), 3);
}

TEST(asking_table, AFloodPushesOutWhoWasSilentLongest) {
    asking_table table;
    table.heard(member(1), start);
    for (unsigned i = 2; i < 1'000; ++i) {
        table.heard(member(i), start + i * 1ms);
    }
    EXPECT_EQ(table.size(), max_heard_members);
    table.heard(member(1), start + 2s);
    EXPECT_EQ(table.size(), max_heard_members);
}

}  // namespace
}  // namespace starling::node
