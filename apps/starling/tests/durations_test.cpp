// Spans of time, written and read.
#include "durations.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace starling::cli::test {
namespace {

using std::chrono::seconds;

result<seconds> parsed(std::string_view text) {
    return parse_duration(text, "--expires", seconds(60), seconds(30 * 86'400));
}

TEST(durations, units_are_understood) {
    EXPECT_EQ(parsed("90s").value(), seconds(90));
    EXPECT_EQ(parsed("30m").value(), seconds(1'800));
    EXPECT_EQ(parsed("24h").value(), seconds(86'400));
    EXPECT_EQ(parsed("7d").value(), seconds(604'800));
    EXPECT_EQ(parsed("1m").value(), seconds(60));
    EXPECT_EQ(parsed("30d").value(), seconds(2'592'000));
}

TEST(durations, everything_else_is_wrong_usage_that_names_the_flag) {
    for (const char* text : {"", "h", "24", "24 h", " 24h", "24H", "1.5h", "-1h", "+1h", "1h30m", "tomorrow", "0x1h"}) {
        const auto got = parsed(text);
        ASSERT_FALSE(got) << text;
        EXPECT_TRUE(got.error() == settings::errc::wrong_usage) << text;
        EXPECT_NE(got.error().message.find("--expires must be a time such as 30m, 24h or 7d"), std::string::npos)
            << got.error().message;
    }
}

TEST(durations, the_two_ends_are_named) {
    for (const char* text : {"0m", "59s", "31d", "721h", "999999999999d", "99999999999999999999d"}) {
        const auto got = parsed(text);
        ASSERT_FALSE(got) << text;
        EXPECT_TRUE(got.error() == settings::errc::wrong_usage) << text;
    }
    EXPECT_EQ(parsed("31d").error().message, "--expires must be between 1 minute and 30 days, not 31d.");
}

TEST(durations, words) {
    EXPECT_EQ(in_words(seconds(1)), "1 second");
    EXPECT_EQ(in_words(seconds(60)), "1 minute");
    EXPECT_EQ(in_words(seconds(5'400)), "90 minutes");
    EXPECT_EQ(in_words(seconds(86'400)), "24 hours");
    EXPECT_EQ(in_words(seconds(604'800)), "7 days");
    EXPECT_EQ(in_words(seconds(90'000)), "25 hours");
}

TEST(durations, roughly_takes_any_number) {
    using some = std::chrono::duration<double>;
    EXPECT_EQ(roughly(some(90.4)), "90 s");
    EXPECT_EQ(roughly(some(720)), "12 min");
    EXPECT_EQ(roughly(some(11'100)), "3 h 05 min");
    EXPECT_EQ(roughly(some(-5)), "0 s");
    EXPECT_EQ(roughly(some(std::numeric_limits<double>::quiet_NaN())), "0 s");
    EXPECT_FALSE(roughly(some(std::numeric_limits<double>::infinity())).empty());
}

}  // namespace
}  // namespace starling::cli::test
