#include "peers/membership_codec.hpp"

#include "base/random.hpp"
#include "membership/limits.hpp"
#include "transport/transport.hpp"
#include "wire/errc.hpp"

#include <gtest/gtest.h>

namespace starling::peers {

using namespace membership;

node_id some_id(std::uint8_t fill) {
    node_id out;
    out.bytes.fill(fill);
    return out;
}

shared_record some_record(std::uint8_t fill, std::size_t payload) {
    record out{.id = some_id(fill), .incarnation = 1'000'000U + fill};
    out.payload.assign(payload, static_cast<std::byte>(fill));
    out.signature.assign(64, std::byte{0x51});
    return std::make_shared<const record>(std::move(out));
}

accusation some_accusation(std::uint8_t fill) {
    return {.subject = some_id(fill), .incarnation = fill, .kind = claim::dead, .accuser = some_id(9)};
}

news some_news() {
    return {.records = {some_record(1, 160), some_record(2, 0)}, .accusations = {some_accusation(3)}};
}

std::vector<message> one_of_each() {
    sync_digest digest{.sender = some_record(1, 10), .bucket_count = 8, .differing = {1, 7}};
    digest.entries = {{.id = some_id(4), .incarnation = 5, .state = member_state::left}};
    return {ping{.sequence = 1, .news = some_news()},
            ping_req{.sequence = 0xffffffffffffffff, .target = some_id(8), .news = {}},
            ack{.sequence = 3, .news = some_news()},
            nack{.sequence = 4},
            gossip{.news = some_news()},
            sync_request{.sender = nullptr, .buckets = {1, 2, 0xffffffffffffffff}},
            sync_request{.sender = some_record(7, 512), .buckets = {}},
            digest,
            sync_records{.records = {some_record(1, 3)}, .accusations = {some_accusation(2)}, .wanted = {some_id(3)}}};
}

TEST(MembershipCodec, EveryMessageArrivesAsItWas) {
    for (const message& sent : one_of_each()) {
        const auto bytes = encode(sent);
        const auto got = decode_message(bytes);
        ASSERT_TRUE(got) << sent.index();
        EXPECT_EQ(got->index(), sent.index());
        EXPECT_EQ(encode(*got), bytes);
    }
    const auto got = decode_message(encode(ping{.sequence = 1, .news = some_news()}));
    const auto& arrived = std::get<ping>(*got);
    EXPECT_EQ(*arrived.news.records[0], *some_record(1, 160));
    EXPECT_EQ(arrived.news.accusations[0], some_accusation(3));
}

TEST(MembershipCodec, NothingIsLargerThanMembershipCountsOn) {
    for (const message& sent : one_of_each()) {
        EXPECT_LE(encode(sent).size(), estimated_bytes(sent)) << sent.index();
    }
    EXPECT_LE(datagram_bytes - message_overhead_bytes, transport::max_datagram_bytes);
}

TEST(MembershipCodec, EveryTruncationAndExtensionIsRefused) {
    for (const message& sent : one_of_each()) {
        auto bytes = encode(sent);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode_message(std::span(bytes).first(size))) << sent.index() << " at " << size;
        }
        bytes.push_back(0);
        EXPECT_FALSE(decode_message(bytes)) << sent.index();
    }
}

TEST(MembershipCodec, MoreThanThereCanBeIsRefused) {
    ping full;
    full.news.accusations.assign(max_news_per_message, some_accusation(1));
    EXPECT_TRUE(decode_message(encode(full)));
    full.news.accusations.push_back(some_accusation(1));
    EXPECT_FALSE(decode_message(encode(full)));
    EXPECT_FALSE(decode_message(encode(sync_request{.sender = nullptr, .buckets = std::vector<std::uint64_t>(257)})));
    EXPECT_FALSE(decode_message(encode(gossip{.news = {.records = {some_record(1, 513)}, .accusations = {}}})));
    const std::uint8_t unknown[] = {200};
    EXPECT_TRUE(decode_message(unknown).error() == wire::errc::unsupported);
}

TEST(MembershipCodec, AByteThatChangedIsRefusedOrChangesTheMessage) {
    for (const message& sent : one_of_each()) {
        const auto bytes = encode(sent);
        for (std::uint64_t i = 0; i < 400; ++i) {
            auto other = bytes;
            other[static_cast<std::size_t>(uniform_draw(i, 0) * static_cast<double>(bytes.size()))] ^=
                static_cast<std::uint8_t>(1U << (i % 8));
            const auto got = decode_message(other);
            EXPECT_TRUE(!got || encode(*got) != bytes);
        }
    }
}

}  // namespace starling::peers
