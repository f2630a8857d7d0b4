#include "detector_fixture.hpp"

namespace starling::membership {
namespace {

/// Two detectors with a wire between them.
class syncing : public detector_test {
  protected:
    detector other = *detector::create({.self = make_id(2),
                                        .payload = byte_string(4),
                                        .incarnation = 20,
                                        .sign = [](const record&) { return byte_string(1); }},
                                       start_of_time);

    /// Delivers what is for the other and what it answers, until nobody says anything. How many messages that took.
    int converse(actions from_node) {
        int messages = 0;
        actions from_other;
        while (!from_node.empty() || !from_other.empty()) {
            actions next_other;
            actions next_node;
            for (const action& todo : from_node) {
                if (const auto* s = std::get_if<send>(&todo); s != nullptr && s->to == a) {
                    ++messages;
                    append(next_other, other.receive(me, s->message, now));
                }
            }
            for (const action& todo : from_other) {
                if (const auto* s = std::get_if<send>(&todo); s != nullptr && s->to == me) {
                    ++messages;
                    append(next_node, node.receive(a, s->message, now));
                }
            }
            from_node = std::move(next_node);
            from_other = std::move(next_other);
        }
        return messages;
    }

    bool pinged_in_next_period(const node_id& whom) {
        const auto pings = sent<ping>(pass(probe_period + 10ms));
        return std::any_of(pings.begin(), pings.end(), [&](const auto& p) { return p.first == whom; });
    }

    static void append(actions& to, actions more) { to.insert(to.end(), more.begin(), more.end()); }
};

TEST_F(syncing, a_join_exchanges_all_that_both_know) {
    meet(b, 5);
    other.receive(c, gossip{{.records = {make_record(c, 6)}}}, now);
    converse(node.join(a, now));
    for (const auto* side : {&node, &other}) {
        EXPECT_EQ(side->known_count(), 4U);
        EXPECT_EQ(side->find(b)->record->incarnation, 5U);
        EXPECT_EQ(side->find(c)->record->incarnation, 6U);
    }
    EXPECT_EQ(other.find(me)->record->incarnation, 10U);
    EXPECT_EQ(node.find(a)->record->incarnation, 20U);
}

TEST_F(syncing, tables_that_agree_need_one_message) {
    converse(node.join(a, now));
    now += 1s;
    EXPECT_EQ(converse(node.join(a, now)), 1);
}

TEST_F(syncing, the_higher_incarnation_wins_on_both_sides) {
    meet(b, 5);
    meet(c, 9);
    other.receive(b, gossip{{.records = {make_record(b, 7), make_record(c, 8)}}}, now);
    converse(node.join(a, now));
    for (const auto* side : {&node, &other}) {
        EXPECT_EQ(side->find(b)->record->incarnation, 7U);
        EXPECT_EQ(side->find(c)->record->incarnation, 9U);
    }
}

TEST_F(syncing, goodbyes_are_passed_on_to_those_who_missed_them) {
    meet(b, 5);
    other.receive(b, gossip{{.records = {make_record(b, 5)}}}, now);
    other.receive(b, gossip{{.records = {make_record(b, 6, record_kind::left)}}}, now);
    converse(node.join(a, now));
    EXPECT_EQ(state_of(b), member_state::left);
}

TEST_F(syncing, tombstones_are_not_news_to_strangers) {
    meet(b, 5);
    hear(b, gossip{{.records = {make_record(b, 6, record_kind::left)}}});
    converse(node.join(a, now));
    EXPECT_FALSE(other.find(b).has_value());
}

TEST_F(syncing, a_claim_of_death_in_a_sync_is_looked_into_and_not_believed) {
    meet(b, 5);
    meet(a, 20);
    pass(10s);
    hear(a,
         sync_digest{.sender = nullptr, .bucket_count = 1, .differing = {0}, .entries = {{b, 5, member_state::dead}}});
    EXPECT_EQ(state_of(b), member_state::alive);
    EXPECT_TRUE(pinged_in_next_period(b));
    hear(a, sync_records{.accusations = {{b, 5, claim::dead, a}}});
    EXPECT_EQ(state_of(b), member_state::alive);
    EXPECT_TRUE(pinged_in_next_period(b));
}

TEST_F(syncing, a_node_that_lost_its_memory_finds_its_number) {
    other.receive(me, gossip{{.records = {make_record(me, 800)}}}, now);
    converse(node.join(a, now));
    EXPECT_EQ(node.own().incarnation, 801U);
    EXPECT_EQ(other.find(me)->record->incarnation, 801U);
}

TEST_F(syncing, a_contact_that_does_not_answer_is_asked_again_ever_slower) {
    node.join(b, now);
    const auto asked = sent<sync_request>(pass(60s));
    EXPECT_GE(asked.size(), 5U);
    EXPECT_LE(asked.size(), 12U);
    for (const auto& [to, m] : asked) {
        EXPECT_EQ(to, b);
    }
}

TEST_F(syncing, a_pair_of_strangers_keeps_asking_the_contact) {
    node.join(b, now);
    meet(c);
    EXPECT_GE(sent<sync_request>(pass(5s)).size(), 2U);
    meet(b);
    pass(120s);
    EXPECT_LE(sent<sync_request>(pass(120s)).size(), 6U);  // it is known: only the periodic ones
}

TEST_F(syncing, the_periodic_sync_slows_down_while_nothing_changes) {
    meet(a);
    pass(120s);
    EXPECT_LE(sent<sync_request>(pass(120s)).size(), 6U);
    hear(a, sync_records{.records = {make_record(b, 5)}});
    EXPECT_GE(sent<sync_request>(pass(5s)).size(), 2U);
}

TEST_F(syncing, nonsense_is_ignored) {
    meet(a);
    EXPECT_TRUE(hear(a, sync_request{.sender = nullptr, .buckets = {}}).empty());
    EXPECT_TRUE(hear(a, sync_request{.sender = nullptr, .buckets = {1, 2, 3}}).empty());
    EXPECT_TRUE(
        hear(a, sync_request{.sender = nullptr, .buckets = std::vector<std::uint64_t>(2 * sync_buckets)}).empty());
    EXPECT_TRUE(hear(a, sync_digest{.sender = nullptr, .bucket_count = 0}).empty());
    EXPECT_TRUE(hear(a, sync_digest{.sender = nullptr, .bucket_count = 2, .differing = {77}}).empty());
    const auto absurd = hear(a, sync_digest{.sender = nullptr,
                                            .bucket_count = 1,
                                            .differing = {0},
                                            .entries = {{b, max_incarnation + 1, member_state::alive}}});
    for (const auto& [to, m] : sent<sync_records>(absurd)) {
        EXPECT_TRUE(m.wanted.empty());
    }
}

TEST_F(syncing, answers_are_limited) {
    meet(a);
    std::size_t answers = 0;
    for (int i = 0; i < 1000; ++i) {
        answers += sent<sync_digest>(hear(a, sync_request{.sender = nullptr, .buckets = {1}})).size();
    }
    EXPECT_EQ(answers, max_sync_answers_per_s);
    now += 1s;
    EXPECT_EQ(sent<sync_digest>(hear(a, sync_request{.sender = nullptr, .buckets = {1}})).size(), 1U);
}

TEST_F(syncing, one_answer_is_bounded_in_bytes) {
    std::vector<node_id> wanted;
    for (std::uint32_t i = 0; i < 2000; ++i) {
        node_id id;
        id.bytes = {9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        hear(id, gossip{{.records = {make_record(id, 1, record_kind::alive, max_payload_bytes)}}});
        wanted.push_back(id);
    }
    const auto answer = sent<sync_records>(hear(wanted[0], sync_records{.wanted = wanted}));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_LE(estimated_bytes(message(answer[0].second)), max_sync_bytes + message_bytes);
    EXPECT_GT(answer[0].second.records.size(), 300U);
}

}  // namespace
}  // namespace starling::membership
