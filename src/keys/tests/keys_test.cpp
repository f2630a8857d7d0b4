#include "keys/keys.hpp"

#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace starling::keys {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

// RFC 8032, section 7.1, test 2.
TEST(Keys, MatchTheRfc) {
    key_pair::seed secret{};
    ASSERT_TRUE(from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", secret));
    const key_pair pair(secret);
    EXPECT_EQ(to_string(pair.id()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const std::vector<std::uint8_t> message{0x72};
    const auto made = pair.sign(message);
    EXPECT_EQ(to_hex(made),
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    EXPECT_TRUE(verify(pair.id(), message, made));
}

TEST(Keys, AChangedMessageSignerOrSignatureIsRefused) {
    const auto pair = key_pair::generate();
    const auto message = bytes_of("an invite");
    const auto made = pair.sign(message);
    EXPECT_TRUE(verify(pair.id(), message, made));
    EXPECT_FALSE(verify(pair.id(), bytes_of("an Invite"), made));
    EXPECT_FALSE(verify(key_pair::generate().id(), message, made));
    for (std::size_t i = 0; i < made.size(); ++i) {
        auto other = made;
        other[i] ^= 1;
        EXPECT_FALSE(verify(pair.id(), message, other)) << i;
    }
    EXPECT_FALSE(verify(node_id{}, message, signature{}));
}

TEST(Keys, EveryPairIsAnother) {
    EXPECT_NE(key_pair::generate().id(), key_pair::generate().id());
}

}  // namespace starling::keys
