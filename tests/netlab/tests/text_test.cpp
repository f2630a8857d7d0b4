#include "netlab/address.hpp"
#include "netlab/control_codec.hpp"

#include <gtest/gtest.h>

namespace starling::netlab {
namespace {

constexpr host_index hosts = 4;

std::string complaint(std::string_view line) {
    const auto parsed = parse_command(line, hosts);
    return parsed ? "" : parsed.error().message;
}

TEST(commands, are_understood) {
    const auto cut = parse_command("cut 1", hosts);
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->what, verb::cut);
    EXPECT_EQ(cut->hosts, (std::vector<host_index>{0}));
    const auto delay = parse_command("  delay\t1 4 2.5 \r", hosts);
    ASSERT_TRUE(delay);
    EXPECT_EQ(delay->what, verb::delay);
    EXPECT_EQ(delay->hosts, (std::vector<host_index>{0, 3}));
    EXPECT_EQ(delay->value, 2.5);
    for (const char* line : {"cut 1 2", "heal 1", "heal 2 1", "block 3 4", "delay 0", "jitter 1", "loss 100",
                             "loss 1 2 5", "duplicate 1", "reorder 1", "rate 10", "rate 1 0.5", "rate 0", "stats"}) {
        EXPECT_EQ(complaint(line), "") << line;
    }
}

TEST(commands, that_are_none_are_refused_in_a_sentence) {
    EXPECT_EQ(
        complaint("cutt 1"),
        "there is no command \"cutt\"; there are cut, heal, block, delay, jitter, loss, duplicate, reorder, rate, "
        "stats");
    EXPECT_EQ(complaint("cut 5"), "there is no host 5, only 1 to 4; it is used as: cut HOST [HOST]");
    EXPECT_EQ(complaint("loss 101"), "101 is not a number from 0 to 100; it is used as: loss [HOST HOST] PERCENT");
    EXPECT_EQ(complaint("block 1"), "\"block\" cannot have 1 arguments; it is used as: block FROM TO");
    for (const char* line :
         {"",          " ",          "cut",        "cut 0",       "cut x",     "cut 1 1",
          "cut 1 2 3", "heal",       "cut -1",     "block 1 2 3", "delay",     "delay x",
          "delay -1",  "delay nan",  "delay inf",  "delay 60001", "delay 1 5", "delay 1 2 3 4",
          "loss 1 2",  "loss 1 2 x", "rate 1 2 3", "stats 1",     "delay 5ms", "cut 99999999999999999999",
          "CUT 1"}) {
        EXPECT_NE(complaint(line), "") << line;
    }
}

TEST(stats, are_json) {
    const std::vector<host_counters> counters{{.frames = 3, .bytes = 400, .dropped_cut = 1, .dropped_loss = 2}, {}};
    EXPECT_EQ(stats_json(counters),
              R"({"hosts":[{"host":1,"frames":3,"bytes":400,"received_frames":0,"received_bytes":0,"dropped":3,)"
              R"("dropped_cut":1,"dropped_loss":2,"dropped_queue":0,"dropped_unknown":0},)"
              R"({"host":2,"frames":0,"bytes":0,"received_frames":0,"received_bytes":0,"dropped":0,)"
              R"("dropped_cut":0,"dropped_loss":0,"dropped_queue":0,"dropped_unknown":0}]})");
}

TEST(addresses, count_from_one) {
    EXPECT_EQ(ip4_address(0), "10.77.0.1");
    EXPECT_EQ(ip6_address(11), "fd77::12");
    EXPECT_EQ(hardware_address(249), "02:4e:4c:00:00:fa");
}

TEST(addresses, a_host_is_told_of_all_others) {
    EXPECT_EQ(setup_lines(1, 2),
              "link set lo up\n"
              "link set wan0 address 02:4e:4c:00:00:02 txqueuelen 10000\n"
              "link set wan0 up\n"
              "addr add 10.77.0.2/24 brd + dev wan0\n"
              "addr add fd77::2/64 dev wan0 nodad\n"
              "route add 224.0.0.0/4 dev wan0\n"
              "neigh add 10.77.0.1 lladdr 02:4e:4c:00:00:01 dev wan0 nud permanent\n"
              "neigh add fd77::1 lladdr 02:4e:4c:00:00:01 dev wan0 nud permanent\n");
}

TEST(names, belong_to_one_prefix) {
    for (const char* good : {"lab", "a", "lab-7-", "x1y"}) {
        EXPECT_TRUE(valid_prefix(good)) << good;
    }
    for (const char* bad : {"", "lab1", "-lab", "../x", "Lab", "a b", "a/b", "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
        EXPECT_FALSE(valid_prefix(bad)) << bad;
    }
    EXPECT_EQ(namespace_name("lab", 0), "lab1");
    EXPECT_TRUE(named_by("lab", "lab1"));
    EXPECT_TRUE(named_by("lab", "lab250"));
    for (const char* other : {"lab", "labx", "lab1x", "lab01", "la1", "xlab1", "lab-1"}) {
        EXPECT_FALSE(named_by("lab", other)) << other;
    }
}

}  // namespace
}  // namespace starling::netlab
