#include "keys/digest.hpp"

#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace starling::keys {

TEST(Digest, IsSha256OfItsParts) {
    const std::vector<std::uint8_t> abc{'a', 'b', 'c'};
    const std::vector<std::uint8_t> ab{'a', 'b'};
    const std::vector<std::uint8_t> c{'c'};
    // printf 'starling test\0abc' | sha256sum
    EXPECT_EQ(to_hex(sha256("starling test", {abc})),
              "fb23034fd2f8b2b3dc7158c374a478a3b414eb73dafc7af81723d2c76d91da42");
    EXPECT_EQ(sha256("starling test", {ab, c}), sha256("starling test", {abc}));
    EXPECT_NE(sha256("starling tes", {abc}), sha256("starling test", {abc}));
}

TEST(Digest, RandomBytesAreOthersEachTime) {
    digest a{};
    digest b{};
    fill_random(a);
    fill_random(b);
    EXPECT_NE(a, b);
}

}  // namespace starling::keys
