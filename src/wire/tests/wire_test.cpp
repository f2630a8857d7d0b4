#include "wire/base64url.hpp"
#include "wire/frame.hpp"
#include "wire/json_access.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <string>

namespace starling::wire {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(ByteCodec, WhatWasWrittenIsReadBack) {
    byte_writer to;
    to.u8(7);
    to.u16(0x1234);
    to.u32(0xdeadbeef);
    to.u64(0x0102030405060708);
    to.text("hello");
    EXPECT_EQ(to.written().size(), 1U + 2 + 4 + 8 + 2 + 5);
    EXPECT_EQ(to.written()[1], 0x12) << "big-endian";
    byte_reader from(to.written());
    EXPECT_EQ(from.u8(), 7);
    EXPECT_EQ(from.u16(), 0x1234);
    EXPECT_EQ(from.u32(), 0xdeadbeefU);
    EXPECT_EQ(from.u64(), 0x0102030405060708U);
    EXPECT_EQ(from.text(5), "hello");
    EXPECT_TRUE(from.complete());
    EXPECT_EQ(from.u32(), 0U);
    EXPECT_FALSE(from.ok());
}

TEST(ByteCodec, EveryTruncationIsNoticed) {
    byte_writer to;
    to.u64(1);
    to.text("abc");
    for (std::size_t size = 0; size < to.written().size(); ++size) {
        byte_reader from(std::span(to.written()).first(size));
        from.u64();
        from.text(10);
        EXPECT_FALSE(from.ok()) << size;
    }
    byte_reader from(to.written());
    from.u64();
    EXPECT_EQ(from.text(2), "");
    EXPECT_FALSE(from.ok()) << "longer than allowed";
}

TEST(Frames, ComeOutWhole) {
    const std::string texts[] = {"", "a", std::string(200'000, 'x'), "{\"type\":\"status\"}"};
    bytes stream;
    for (const auto& text : texts) {
        const auto one = framed(text);
        stream.insert(stream.end(), one.begin(), one.end());
    }
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        frame_reader reader;
        std::span<const std::uint8_t> left = stream;
        std::size_t next = 0;
        for (std::uint64_t i = 0; !left.empty(); ++i) {
            const auto most = uniform_draw(seed, i) < 0.5 ? 10.0 : 50'000.0;
            const auto piece =
                left.first(std::min(left.size(), 1 + static_cast<std::size_t>(uniform_draw(seed, i) * most)));
            left = left.subspan(piece.size());
            reader.push(piece);
            for (;;) {
                auto frame = reader.next();
                ASSERT_TRUE(frame);
                if (!*frame) {
                    break;
                }
                ASSERT_EQ(**frame, texts[next++]);
            }
        }
        EXPECT_EQ(next, 4U);
        EXPECT_TRUE(reader.at_boundary());
    }
}

TEST(Frames, OneThatIsTooLargeIsRefusedBeforeItArrives) {
    frame_reader reader(100);
    const std::uint8_t length[] = {0, 0, 0, 101};
    reader.push(length);
    const auto refused = reader.next();
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::too_large);
}

TEST(Frames, ATruncatedOneIsNotABoundary) {
    frame_reader reader;
    const auto one = framed("hello");
    reader.push(std::span(one).first(6));
    EXPECT_EQ(*reader.next(), std::nullopt);
    EXPECT_FALSE(reader.at_boundary());
}

TEST(Base64Url, GoesBothWaysInOneWayOnly) {
    for (std::size_t size = 0; size < 40; ++size) {
        bytes from(size);
        for (std::size_t i = 0; i < size; ++i) {
            from[i] = static_cast<std::uint8_t>(250 - 13 * i);
        }
        const auto text = to_base64url(from);
        EXPECT_EQ(text.find_first_of("+/= "), std::string::npos);
        EXPECT_EQ(from_base64url(text), from);
    }
    EXPECT_EQ(to_base64url(bytes_of("any carnal pleas")), "YW55IGNhcm5hbCBwbGVhcw");
    for (const char* bad : {"YQ==", "YR", "Y", "Y Q", "YW55\n", "Y+8", "Y/8"}) {
        EXPECT_EQ(from_base64url(bad), std::nullopt) << bad;
    }
}

TEST(JsonAccess, NumbersThatAreNoneOrTooLargeAreBounded) {
    const auto from = parse_or_null(R"({"nan":0e999,"inf":1e999,"neg":-1e999,"big":99999999999999999999,"text":"1"})");
    ASSERT_TRUE(from.is_object());
    EXPECT_FALSE(number_member(from, "nan"));
    EXPECT_FALSE(number_member(from, "text"));
    EXPECT_EQ(count_member(from, "nan"), 0);
    EXPECT_EQ(count_member(from, "inf"), 2147483647);
    EXPECT_EQ(count_member(from, "neg"), 0);
    EXPECT_EQ(count_member(from, "big"), 2147483647);
    EXPECT_EQ(count_member(from, "missing"), 0);
}

}  // namespace starling::wire
