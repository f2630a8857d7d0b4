#include "base/node_id.hpp"

#include "base/hex.hpp"

#include <gtest/gtest.h>

namespace starling {

TEST(NodeId, IsWrittenAsSixtyFourHexCharactersAndReadBack) {
    node_id id;
    for (std::size_t i = 0; i < node_id::size; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(i * 8 + 1);
    }
    const std::string text = to_string(id);
    EXPECT_EQ(text.size(), 64U);
    EXPECT_EQ(text.substr(0, 8), "01091119");
    EXPECT_EQ(short_name(id), "01091119");
    EXPECT_EQ(parse_node_id(text), id);
}

TEST(NodeId, OtherTextIsNone) {
    const std::string good(64, 'a');
    EXPECT_TRUE(parse_node_id(good));
    EXPECT_FALSE(parse_node_id(""));
    EXPECT_FALSE(parse_node_id(good + "a"));
    EXPECT_FALSE(parse_node_id(good.substr(1)));
    EXPECT_FALSE(parse_node_id("A" + good.substr(1)));
    EXPECT_FALSE(parse_node_id("g" + good.substr(1)));
}

TEST(Hex, AnOddLengthIsRefused) {
    std::array<std::uint8_t, 1> out{};
    EXPECT_TRUE(from_hex("0f", out));
    EXPECT_EQ(out[0], 15);
    EXPECT_FALSE(from_hex("0", out));
    EXPECT_FALSE(from_hex("0f0", out));
}

}  // namespace starling
