#include "netlab/way.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace starling::netlab {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const time_point start{std::chrono::hours(1)};

TEST(line, without_a_rate_sends_at_once) {
    line open(0);
    EXPECT_EQ(open.send(start, 1500), start);
    EXPECT_EQ(open.send(start, 1500), start);
}

TEST(line, sends_one_after_the_other) {
    line slow(8);  // one byte each microsecond
    EXPECT_EQ(slow.send(start, 1000), start + milliseconds(1));
    EXPECT_EQ(slow.send(start, 1000), start + milliseconds(2));
    EXPECT_EQ(slow.send(start + milliseconds(10), 1000), start + milliseconds(11)) << "an idle line saves nothing up";
}

TEST(line, drops_what_does_not_fit_its_queue) {
    line slow(8);
    int sent = 0;
    for (int i = 0; i < 300; ++i) {
        sent += slow.send(start, 1000) ? 1 : 0;
    }
    EXPECT_EQ(sent, 201) << "200 ms of frames that take 1 ms, and the one that is being sent";
    EXPECT_TRUE(slow.send(start + milliseconds(5), 1000)) << "there is room again";
}

TEST(way, takes_its_delay) {
    way plain({.delay = milliseconds(5)}, 1);
    const auto arrivals = plain.pass(start);
    EXPECT_EQ(arrivals.count, 1U);
    EXPECT_EQ(arrivals.at, start + milliseconds(5));
}

TEST(way, jitter_adds_and_keeps_the_order) {
    way uneven({.delay = milliseconds(5), .jitter = milliseconds(3)}, 1);
    time_point last{};
    duration most{};
    for (int i = 0; i < 1000; ++i) {
        const time_point sent = start + microseconds(i * 100);
        const auto at = uneven.pass(sent).at;
        EXPECT_GE(at, sent + milliseconds(5));
        EXPECT_LT(at, sent + milliseconds(8));
        EXPECT_GE(at, last);
        last = at;
        most = std::max(most, at - sent);
    }
    EXPECT_GT(most, milliseconds(7));
}

TEST(way, loses_and_duplicates_as_many_as_asked) {
    way lossy({.loss = 0.2, .duplicate = 0.25}, 7);
    std::array<int, 3> counts{};
    for (int i = 0; i < 10'000; ++i) {
        ++counts[lossy.pass(start).count];
    }
    EXPECT_NEAR(counts[0], 2000, 150);
    EXPECT_NEAR(counts[2], 2000, 150) << "a quarter of what is not lost";
    way dead({.loss = 1}, 7);
    EXPECT_EQ(dead.pass(start).count, 0U);
}

TEST(way, a_reordered_frame_is_overtaken) {
    way shuffling({.delay = milliseconds(5), .reorder = 0.1}, 3);
    std::vector<time_point> at;
    int held = 0;
    for (int i = 0; i < 1000; ++i) {
        at.push_back(shuffling.pass(start + milliseconds(i)).at);
        held += at.back() == start + milliseconds(i) + milliseconds(5) + reorder_hold ? 1 : 0;
        EXPECT_TRUE(held > 0 || at.back() == start + milliseconds(i + 5));
    }
    EXPECT_NEAR(held, 100, 40);
    EXPECT_FALSE(std::is_sorted(at.begin(), at.end()));
}

TEST(way, a_new_delay_counts_at_once) {
    way changing({.delay = milliseconds(500)}, 1);
    changing.pass(start);
    changing.set({.delay = milliseconds(1)});
    EXPECT_EQ(changing.pass(start).at, start + milliseconds(1));
}

TEST(way, fate_is_a_matter_of_the_key) {
    const auto fates = [](std::uint64_t key) {
        way lossy({.loss = 0.5}, key);
        std::string out;
        for (int i = 0; i < 64; ++i) {
            out += lossy.pass(start).count == 0 ? '-' : '+';
        }
        return out;
    };
    EXPECT_EQ(fates(1), fates(1));
    EXPECT_NE(fates(1), fates(2));
}

}  // namespace
}  // namespace starling::netlab
