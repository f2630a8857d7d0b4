#include "detector_fixture.hpp"

#include <limits>

namespace starling::membership {
namespace {

class records : public detector_test {};

TEST_F(records, a_new_member_is_reported_and_passed_on) {
    meet(b);
    const auto todo = meet(a);
    const auto seen = changes(todo, a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_FALSE(seen[0].before.has_value());
    EXPECT_EQ(seen[0].after, member_state::alive);
    std::size_t told = 0;
    for (const auto& [to, m] : sent<gossip>(pass(5s))) {
        for (const auto& r : m.news.records) {
            told += to == b && r->id == a ? 1 : 0;
        }
    }
    EXPECT_GE(told, 1U);
    EXPECT_LE(told, gossip_limit(3));
}

TEST_F(records, only_a_higher_incarnation_counts) {
    meet(a, 5);
    EXPECT_TRUE(changes(meet(a, 5), a).empty());
    EXPECT_TRUE(changes(meet(a, 4), a).empty());
    const auto seen = changes(meet(a, 6), a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].before, member_state::alive);
    EXPECT_EQ(seen[0].after, member_state::alive);
    EXPECT_EQ(node.find(a)->record->incarnation, 6U);
}

TEST_F(records, records_out_of_bounds_are_ignored) {
    hear(a, gossip{{.records = {nullptr, make_record(a, max_incarnation + 1),
                                make_record(b, 1, record_kind::alive, max_payload_bytes + 1)}}});
    EXPECT_FALSE(node.find(a).has_value());
    EXPECT_FALSE(node.find(b).has_value());
    hear(a, gossip{{.records = {make_record(b, max_incarnation, record_kind::alive, max_payload_bytes)}}});
    EXPECT_TRUE(node.find(b).has_value());
}

TEST_F(records, leaving_is_final_until_a_higher_incarnation) {
    meet(a, 5);
    const auto seen = changes(hear(b, gossip{{.records = {make_record(a, 6, record_kind::left)}}}), a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].after, member_state::left);
    meet(a, 6);
    EXPECT_EQ(state_of(a), member_state::left);
    meet(a, 7);
    EXPECT_EQ(state_of(a), member_state::alive);
}

TEST_F(records, the_dead_do_not_rise_by_an_old_record) {
    meet(a, 5);
    pass(10s, {a});
    ASSERT_EQ(state_of(a), member_state::dead);
    meet(a, 5);
    meet(a, 3);
    EXPECT_EQ(state_of(a), member_state::dead);
    const auto seen = changes(meet(a, 6), a);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].before, member_state::dead);
    EXPECT_EQ(seen[0].after, member_state::alive);
}

TEST_F(records, one_that_came_back_is_told_of_at_once_and_asked) {
    meet(a, 5);
    meet(b, 5);
    pass(15s, {a});
    ASSERT_EQ(state_of(a), member_state::dead);
    now += sync_soon;
    const auto todo = meet(a, 6);
    bool told = false;
    for (const auto& [to, m] : sent<gossip>(todo)) {
        told = told || (to == b && !m.news.records.empty() && m.news.records[0]->id == a);
    }
    EXPECT_TRUE(told);
    ASSERT_EQ(sent<sync_request>(todo).size(), 1U);
    EXPECT_EQ(sent<sync_request>(todo)[0].first, a);
}

TEST_F(records, strangers_that_left_are_not_taken_in) {
    hear(b, gossip{{.records = {make_record(a, 6, record_kind::left)}}});
    EXPECT_FALSE(node.find(a).has_value());
}

TEST_F(records, tombstones_are_forgotten_in_the_end) {
    meet(a);
    hear(a, gossip{{.records = {make_record(a, 6, record_kind::left)}}});
    std::vector<member_changed> seen;
    for (int minute = 0; minute < 62; ++minute) {
        for (const auto& change : changes(pass(1min), a)) {
            seen.push_back(change);
        }
        EXPECT_EQ(node.find(a).has_value(), seen.empty());
    }
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].before, member_state::left);
    EXPECT_FALSE(seen[0].after.has_value());
}

TEST_F(records, the_table_is_limited_and_tombstones_make_room) {
    const auto many = [](std::uint32_t i) {
        node_id id;
        id.bytes = {9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        return id;
    };
    for (std::uint32_t i = 0; i < max_members + 10; ++i) {
        hear(many(0), gossip{{.records = {make_record(many(i), 1)}}});
    }
    EXPECT_EQ(node.known_count(), max_members);
    EXPECT_FALSE(node.find(many(max_members + 5)).has_value());
    hear(many(7), gossip{{.records = {make_record(many(7), 2, record_kind::left)}}});
    const auto todo = hear(many(0), gossip{{.records = {make_record(many(max_members + 5), 1)}}});
    EXPECT_TRUE(node.find(many(max_members + 5)).has_value());
    EXPECT_FALSE(node.find(many(7)).has_value());
    ASSERT_EQ(changes(todo, many(7)).size(), 1U);
    EXPECT_EQ(changes(todo, many(7))[0].before, member_state::left);
}

TEST_F(records, a_past_life_of_ours_is_outdone) {
    meet(a);
    const auto todo = hear(a, gossip{{.records = {make_record(me, 500)}}});
    EXPECT_EQ(node.own().incarnation, 501U);
    EXPECT_EQ(node.own().signature, byte_string(1, static_cast<std::byte>(501 & 0xff)));
    ASSERT_EQ(changes(todo, me).size(), 1U);
    bool told = false;
    for (const auto& [to, m] : sent<gossip>(todo)) {
        told = told || (!m.news.records.empty() && m.news.records[0]->incarnation == 501);
    }
    EXPECT_TRUE(told);
}

TEST_F(records, our_own_record_coming_back_changes_nothing) {
    meet(a);
    hear(a, gossip{{.records = {std::make_shared<const record>(node.own())}}});
    EXPECT_EQ(node.own().incarnation, 10U);
    pass(1s);
    hear(a, gossip{{.records = {make_record(me, 10)}}});  // the same number, but not what we signed
    EXPECT_EQ(node.own().incarnation, 11U);
}

TEST_F(records, a_new_payload_is_a_new_record) {
    meet(a);
    const auto todo = node.set_payload(byte_string(9), now);
    ASSERT_TRUE(todo.has_value());
    EXPECT_EQ(node.own().incarnation, 11U);
    EXPECT_EQ(node.own().payload.size(), 9U);
    EXPECT_FALSE(sent<gossip>(*todo).empty());
    EXPECT_TRUE(node.set_payload(byte_string(9), now)->empty());
    EXPECT_TRUE(node.set_payload(byte_string(max_payload_bytes + 1), now).error() == errc::payload_too_large);
    EXPECT_TRUE(detector::create({.self = me, .payload = byte_string(max_payload_bytes + 1)}, now).error() ==
                errc::payload_too_large);
}

TEST_F(records, who_leaves_says_so_at_once_and_then_is_quiet) {
    for (const auto& id : {a, b, c, d}) {
        meet(id);
    }
    const auto told = sent<gossip>(node.leave(now));
    EXPECT_EQ(told.size(), 4U);
    ASSERT_FALSE(told[0].second.news.records.empty());
    EXPECT_EQ(told[0].second.news.records[0]->kind, record_kind::left);
    EXPECT_EQ(told[0].second.news.records[0]->incarnation, 11U);
    EXPECT_TRUE(hear(a, ping{1, {}}).empty());
    EXPECT_TRUE(accused(me, 11, a).empty());
    EXPECT_TRUE(node.leave(now).empty());
    const auto rest = pass(10s);
    EXPECT_TRUE(sent<ping>(rest).empty());
    EXPECT_TRUE(node.drained());
    EXPECT_EQ(node.next_tick(), time_point::max());
}

}  // namespace
}  // namespace starling::membership
