#include "discovery/beacon.hpp"

#include "wire/errc.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace starling::discovery {

constexpr unix_time_s now = 1'800'000'000;

class beacon_test : public testing::Test {
  public:
    beacon member() const {
        return {.kind = beacon_kind::member,
                .wants_answer = true,
                .mesh = tag_of(mesh_.id()),
                .node = keys_.id(),
                .port = 9338,
                .sent_s = now,
                .name = "kitchen"};
    }

    keys::key_pair keys_ = keys::key_pair::generate();
    keys::key_pair mesh_ = keys::key_pair::generate();
};

TEST_F(beacon_test, ArrivesAsItWasSent) {
    const auto datagram = encode(member(), keys_);
    EXPECT_LE(datagram.size(), max_beacon_bytes);
    const auto got = parse_beacon(datagram);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->kind, beacon_kind::member);
    EXPECT_TRUE(got->wants_answer);
    EXPECT_EQ(got->mesh, tag_of(mesh_.id()));
    EXPECT_EQ(got->node, keys_.id());
    EXPECT_EQ(got->port, 9338);
    EXPECT_EQ(got->sent_s, now);
    EXPECT_EQ(got->name, "kitchen");
    EXPECT_TRUE(is_signed(datagram, *got));
}

TEST_F(beacon_test, WhoSeeksShowsNoMesh) {
    auto seeking = member();
    seeking.kind = beacon_kind::seeking;
    seeking.wants_answer = false;
    const auto got = parse_beacon(encode(seeking, keys_));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kind, beacon_kind::seeking);
    EXPECT_FALSE(got->wants_answer);
    EXPECT_EQ(got->mesh, mesh_tag{});
}

TEST_F(beacon_test, EveryByteIsSigned) {
    const auto datagram = encode(member(), keys_);
    for (std::size_t i = 0; i < datagram.size(); ++i) {
        auto other = datagram;
        other[i] ^= 1;
        const auto got = parse_beacon(other);
        EXPECT_FALSE(got && is_signed(other, *got)) << i;
    }
}

TEST_F(beacon_test, NothingShorterIsTaken) {
    const auto datagram = encode(member(), keys_);
    for (std::size_t size = 0; size < datagram.size(); ++size) {
        const auto part = std::span(datagram).first(size);
        const auto got = parse_beacon(part);
        EXPECT_FALSE(got && is_signed(part, *got)) << size;
    }
}

TEST_F(beacon_test, NobodySignsForAnother) {
    const auto other = keys::key_pair::generate();
    const auto datagram = encode(member(), other);
    const auto got = parse_beacon(datagram);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->node, other.id());
    EXPECT_FALSE(is_signed(datagram, member()));
}

TEST_F(beacon_test, WhatALaterVersionAddsIsIgnored) {
    auto datagram = encode(member(), keys_);
    datagram.insert(datagram.end() - 64, 100, 7);
    EXPECT_TRUE(parse_beacon(datagram));
    datagram.insert(datagram.end() - 64, max_beacon_bytes, 7);
    EXPECT_TRUE(parse_beacon(datagram).error() == wire::errc::malformed);
    auto later = encode(member(), keys_);
    later[8] = 2;
    EXPECT_TRUE(parse_beacon(later).error() == wire::errc::unsupported);
}

TEST_F(beacon_test, ItsTimeIsNear) {
    beacon of = member();
    EXPECT_TRUE(is_fresh(of, now));
    EXPECT_TRUE(is_fresh(of, now + clock_skew_s));
    EXPECT_TRUE(is_fresh(of, now - clock_skew_s));
    EXPECT_FALSE(is_fresh(of, now + clock_skew_s + 1));
    EXPECT_FALSE(is_fresh(of, now - clock_skew_s - 1));
    of.sent_s = std::numeric_limits<unix_time_s>::min();
    EXPECT_FALSE(is_fresh(of, now));
    of.sent_s = std::numeric_limits<unix_time_s>::max();
    EXPECT_FALSE(is_fresh(of, now));
}

TEST_F(beacon_test, ANameIsMadeFitToBeShown) {
    auto rude = member();
    rude.name = "\x1b[31m" + std::string(100, 'x');
    const auto got = parse_beacon(encode(rude, keys_));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->name, "?[31m" + std::string(59, 'x'));
}

TEST_F(beacon_test, ATagIsOfOneMesh) {
    EXPECT_EQ(tag_of(mesh_.id()), tag_of(mesh_.id()));
    EXPECT_NE(tag_of(mesh_.id()), tag_of(keys_.id()));
}

}  // namespace starling::discovery
