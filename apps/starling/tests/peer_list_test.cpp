// The table of a mesh's nodes, and how one of them is named.
#include "peer_list.hpp"

#include <gtest/gtest.h>

namespace starling::cli::test {
namespace {

namespace json = boost::json;

const std::string own(64, 'a');
const std::string kitchen = "1234567800" + std::string(54, '0');
const std::string attic = "1234567811" + std::string(54, '1');

std::vector<listed_peer> some_peers() {
    const json::value told{
        {{"node_id", kitchen},
         {"name", "küche"},
         {"role", "worker"},
         {"state", "alive"},
         {"rtt_ms", 1.234},
         {"path", "direct"},
         {"health", {{"score", 97.6}, {"state", "good"}}},
         {"models", {"starter", "qwen"}},
         {"version", "0.1.0"}},
        {{"node_id", attic},
         {"name", "attic"},
         {"role", "client"},
         {"state", "dead"},
         {"rtt_ms", nullptr},
         {"health", nullptr},
         {"models", json::array{}}},
        {{"node_id", own}, {"name", "self"}, {"role", "worker"}, {"state", "alive"}, {"rtt_ms", 0}, {"path", "local"}},
        "no peer at all"};
    return read_peers(told.as_array(), own);
}

TEST(peer_list, the_asked_node_is_first_and_the_others_follow_by_name) {
    const auto peers = some_peers();
    ASSERT_EQ(peers.size(), 3U);
    EXPECT_TRUE(peers[0].is_asked);
    EXPECT_EQ(peers[1].name, "attic");
    EXPECT_EQ(peers[2].name, "küche");
}

TEST(peer_list, the_table_keeps_its_columns) {
    EXPECT_EQ(peer_table(some_peers()),
              "NAME              ID        ROLE    STATE  RTT     HEALTH   MODELS         VERSION\n"
              "self (this node)  aaaaaaaa  worker  alive  -       -        -              -\n"
              "attic             12345678  client  dead   -       -        -              -\n"
              "küche             12345678  worker  alive  1.2 ms  good 98  starter, qwen  0.1.0\n");
    EXPECT_EQ(peer_table({}), "");
}

TEST(peer_list, names_of_others_cannot_take_the_terminal_over) {
    const json::value told{{{"node_id", kitchen}, {"name", "a\033[2J\nb\tc\u009b1m"}, {"models", {"m\r\n", 5}}}};
    const auto peers = read_peers(told.as_array(), own);
    ASSERT_EQ(peers.size(), 1U);
    EXPECT_EQ(peers[0].name, "a[2J b c1m");
    ASSERT_EQ(peers[0].models.size(), 1U);
    EXPECT_EQ(peers[0].models[0], "m ");
}

TEST(peer_list, an_id_is_whole_or_the_beginning_of_one) {
    const auto peers = some_peers();
    EXPECT_EQ(whole_id("1234567800", peers).value(), kitchen);
    EXPECT_EQ(whole_id("AAAAAAAA", peers).value(), own);
    EXPECT_EQ(whole_id(attic, peers).value(), attic);
    EXPECT_EQ(whole_id(std::string(64, '9'), peers).value(), std::string(64, '9'));  // need not be known

    EXPECT_TRUE(whole_id("99999999", peers).error() == node::errc::remote);
    const auto both = whole_id("12345678", peers).error();
    EXPECT_TRUE(both == node::errc::remote);
    EXPECT_NE(both.message.find(attic), std::string::npos);
    EXPECT_NE(both.message.find(kitchen), std::string::npos);
    for (const std::string& text : {std::string(), std::string("1234567"), std::string("kitchen1"), kitchen + "0"}) {
        EXPECT_TRUE(whole_id(text, peers).error() == settings::errc::wrong_usage) << text;
    }
}

}  // namespace
}  // namespace starling::cli::test
