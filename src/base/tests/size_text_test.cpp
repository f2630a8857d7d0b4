#include "base/size_text.hpp"

#include <gtest/gtest.h>

namespace starling {

TEST(size_text, has_a_digit_behind_the_point_where_it_says_something) {
    EXPECT_EQ(size_text(0), "0 bytes");
    EXPECT_EQ(size_text(999), "999 bytes");
    EXPECT_EQ(size_text(1'000), "1.0 KB");
    EXPECT_EQ(size_text(1'440'000'000), "1.4 GB");
    EXPECT_EQ(size_text(123'000'000), "123 MB");
    EXPECT_EQ(size_text(~0ULL), "18.4 EB");
}

}  // namespace starling
