#include "base/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace starling {
namespace {

// Known answers of Random123 1.14 (kat_vectors, philox4x32 10).
TEST(Philox, MatchesTheKnownAnswers) {
    EXPECT_EQ(philox4x32(0, 0), (std::array<std::uint32_t, 4>{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
}

TEST(UniformDraw, DependsOnSeedAndIndexAlone) {
    EXPECT_EQ(uniform_draw(7, 3), uniform_draw(7, 3));
    EXPECT_NE(uniform_draw(7, 3), uniform_draw(7, 4));
    EXPECT_NE(uniform_draw(7, 3), uniform_draw(8, 3));
}

TEST(UniformDraw, IsUniform) {
    std::array<int, 10> bins{};
    std::set<double> seen;
    for (std::uint64_t i = 0; i < 10000; ++i) {
        const double x = uniform_draw(42, i);
        ASSERT_GE(x, 0.0);
        ASSERT_LT(x, 1.0);
        ++bins[static_cast<std::size_t>(x * 10)];
        seen.insert(x);
    }
    EXPECT_EQ(seen.size(), 10000U);
    for (const int count : bins) {
        EXPECT_NEAR(count, 1000, 150);
    }
}

}  // namespace
}  // namespace starling
