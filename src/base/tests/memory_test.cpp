#include "base/memory.hpp"

#include <gtest/gtest.h>

namespace starling {
namespace {

TEST(machine_memory, ReadsWhatLinuxWrites) {
    const auto memory = parse_memory("MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n");
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->total, 1'024'000U);
    EXPECT_EQ(memory->available, 256'000U);
    EXPECT_FALSE(parse_memory("MemTotal: 1 kB\n"));
    EXPECT_FALSE(parse_memory(""));
}

TEST(machine_memory, AContainersLimitCounts) {
    const auto group = parse_group_memory("1000\n", "600\n", "anon 300\nslab_inactive_file 7\ninactive_file 200\n");
    ASSERT_TRUE(group);
    EXPECT_EQ(group->total, 1000U);
    EXPECT_EQ(group->available, 600U);
    EXPECT_FALSE(parse_group_memory("max\n", "600\n", ""));
    EXPECT_FALSE(parse_group_memory("", "", ""));
    const auto full = parse_group_memory("1000", "2000", "inactive_file 5000");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->available, 1000U);

    const memory_bytes both = tighter({.total = 8, .available = 2}, {.total = 4, .available = 3});
    EXPECT_EQ(both.total, 4U);
    EXPECT_EQ(both.available, 2U);
}

TEST(machine_memory, ThereIsSomeHere) {
    const memory_bytes here = machine_memory();
    EXPECT_GT(here.available, 0U);
    EXPECT_LE(here.available, here.total);
}

}  // namespace
}  // namespace starling
