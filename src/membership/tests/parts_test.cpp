// The parts of the detector by themselves: sizes, queue, order, patience, table.
#include "detector_fixture.hpp"

#include <map>

namespace starling::membership {
namespace {

TEST(datagrams, whatever_the_news_they_fit) {
    detector node = *make_detector();
    for (std::uint8_t i = 2; i < 200; ++i) {
        const auto r = make_record(make_id(i), 1, record_kind::alive, (i * 37U) % max_payload_bytes);
        node.receive(make_id(i), gossip{{.records = {r}}}, start_of_time);
    }
    for (std::uint8_t i = 2; i < 60; ++i) {
        node.receive(make_id(70), gossip{{.accusations = {{make_id(i), 1, claim::suspect, make_id(70)}}}},
                     start_of_time);
    }
    std::size_t seen = 0;
    std::size_t largest = 0;
    for (auto now = start_of_time; now < start_of_time + 3s; now = node.next_tick()) {
        for (const action& todo : node.tick(now)) {
            const auto* s = std::get_if<send>(&todo);
            if (s != nullptr && !std::holds_alternative<sync_request>(s->message)) {
                ++seen;
                largest = std::max(largest, estimated_bytes(s->message) + message_overhead_bytes);
            }
        }
    }
    EXPECT_GT(seen, 10U);
    EXPECT_LE(largest, datagram_bytes);
    EXPECT_GT(largest, datagram_bytes * 8 / 10);  // and they are filled
}

TEST(news, the_newest_goes_first_and_each_a_limited_number_of_times) {
    news_queue queue;
    for (slot s = 0; s < 5; ++s) {
        queue.renew(s, topic::record);
    }
    std::vector<slot> order;
    const auto take_two = [&] {
        int room = 2;
        queue.offer(3, [&](slot s, topic) {
            if (room == 0) {
                return news_queue::verdict::no_room;
            }
            --room;
            order.push_back(s);
            return news_queue::verdict::told;
        });
    };
    for (int i = 0; i < 10; ++i) {
        take_two();
    }
    EXPECT_EQ(order[0], 4U);
    EXPECT_EQ(order[1], 3U);
    EXPECT_EQ(order[2], 2U);
    std::map<slot, int> told;
    for (const slot s : order) {
        ++told[s];
    }
    for (slot s = 0; s < 5; ++s) {
        EXPECT_EQ(told[s], 3);
    }
    EXPECT_TRUE(queue.empty());
}

TEST(news, what_others_tell_us_counts_as_told_when_there_is_much) {
    news_queue queue;
    for (slot s = 0; s < much_news; ++s) {
        queue.renew(s, topic::record);
    }
    queue.heard(1, topic::record, 1);
    EXPECT_EQ(queue.size(), much_news);
    queue.renew(much_news, topic::record);
    queue.heard(1, topic::accusation, 1);
    queue.heard(1, topic::record, 2);
    EXPECT_EQ(queue.size(), much_news + 1);
    queue.heard(1, topic::record, 2);
    EXPECT_EQ(queue.size(), much_news);
}

TEST(news, there_is_a_limit_and_the_freshest_stay) {
    news_queue queue;
    for (slot s = 0; s < 3 * max_news; ++s) {
        queue.renew(s, topic::accusation);
        queue.renew(s, topic::accusation);
    }
    EXPECT_EQ(queue.size(), max_news);
    queue.offer(2, [](slot s, topic) {
        EXPECT_GE(s, 2 * max_news);
        return news_queue::verdict::stale;
    });
    EXPECT_TRUE(queue.empty());
}

TEST(order, everybody_once_in_a_round_and_newcomers_in_this_one) {
    member_table table(make_record(me, 1), start_of_time);
    probe_order order;
    dice random(3);
    EXPECT_FALSE(order.next(table, random).has_value());
    const auto add = [&](std::uint8_t i) {
        order.add(table.insert(make_record(make_id(i), 1), start_of_time), random);
    };
    for (std::uint8_t i = 10; i < 20; ++i) {
        add(i);
    }
    std::map<slot, int> probed;
    for (int i = 0; i < 4; ++i) {
        ++probed[*order.next(table, random)];
    }
    add(20);
    for (int i = 0; i < 7; ++i) {
        ++probed[*order.next(table, random)];
    }
    EXPECT_EQ(probed.size(), 11U);
    for (int i = 0; i < 11 * 5; ++i) {
        ++probed[*order.next(table, random)];
    }
    for (const auto& [s, times] : probed) {
        EXPECT_EQ(times, 6);
    }
}

TEST(order, one_that_dies_and_rises_again_and_again_does_not_stop_the_round) {
    member_table table(make_record(me, 1), start_of_time);
    probe_order order;
    dice random(3);
    std::map<slot, int> probed;
    for (std::uint8_t i = 10; i < 20; ++i) {
        order.add(table.insert(make_record(make_id(i), 1), start_of_time), random);
    }
    for (int i = 0; i < 1000; ++i) {
        ++probed[*order.next(table, random)];
        order.add(1, random);
    }
    for (slot s = 1; s <= 10; ++s) {
        EXPECT_GE(probed[s], 20);
    }
}

TEST(patience_of, grows_with_the_mesh_and_shrinks_with_accusers) {
    EXPECT_EQ(least_patience(2), patience_base);
    EXPECT_EQ(least_patience(1000), 3 * duration(patience_base));
    EXPECT_EQ(patience({.members = 1000, .accusers = 1}), 9 * duration(patience_base));
    EXPECT_EQ(patience({.members = 1000, .accusers = 4}), 3 * duration(patience_base));
    EXPECT_EQ(patience({.members = 1000, .accusers = 1, .strikes = 2}), 3 * duration(patience_base));
    EXPECT_EQ(patience({.members = 1000, .accusers = 1, .concluded_by_other = true}), 3 * duration(patience_base));
    EXPECT_EQ(patience({.members = 2, .accusers = 1}), duration(patience_base));  // nobody could confirm
    EXPECT_EQ(patience({.members = 0, .accusers = 0}), duration(patience_base));
}

TEST(table, sums_tell_live_members_and_nothing_else) {
    member_table one(make_record(make_id(50), 1), start_of_time);
    member_table two(make_record(make_id(51), 1), start_of_time);
    two.insert(make_record(make_id(50), 1), start_of_time);
    EXPECT_NE(one.buckets(16), two.buckets(16));
    const slot s = one.insert(make_record(make_id(51), 1), start_of_time);
    EXPECT_EQ(one.buckets(16), two.buckets(16));
    EXPECT_EQ(one.buckets(256), two.buckets(256));
    one.set_state(s, member_state::suspect, start_of_time);
    EXPECT_EQ(one.buckets(1), two.buckets(1));
    one.set_state(s, member_state::dead, start_of_time);
    EXPECT_NE(one.buckets(1), two.buckets(1));
    const slot gone = one.insert(make_record(make_id(52), 1), start_of_time);
    one.set_state(gone, member_state::left, start_of_time);
    one.replace(s, make_record(make_id(51), 2));
    one.set_state(s, member_state::alive, start_of_time);
    EXPECT_NE(one.buckets(256), two.buckets(256));
    two.replace(member_table::self, make_record(make_id(51), 2));
    EXPECT_EQ(one.buckets(256), two.buckets(256));
}

TEST(table, slots_are_used_again) {
    member_table table(make_record(me, 1), start_of_time);
    for (int i = 0; i < 100; ++i) {
        const slot s = table.insert(make_record(make_id(9), 1), start_of_time);
        EXPECT_EQ(s, 1U);
        table.set_state(s, i % 2 == 0 ? member_state::dead : member_state::left, start_of_time);
        table.erase(s);
    }
    EXPECT_EQ(table.size(), 1U);
    EXPECT_TRUE(table.dead().empty());
    EXPECT_TRUE(table.left().empty());
}

}  // namespace
}  // namespace starling::membership
