#include "plan/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace starling::plan {
namespace {

using testing::Test;

constexpr std::uint64_t gb = 1'000'000'000;

node_id id_of(std::uint8_t n) {
    node_id id;
    id.bytes.fill(n);
    return id;
}

machine machine_of(std::uint8_t n, std::string name, std::uint64_t free_bytes, double gb_per_s = 40) {
    machine out;
    out.id = id_of(n);
    out.name = std::move(name);
    out.free_bytes = free_bytes;
    out.read_bytes_per_s = gb_per_s * 1e9;
    return out;
}

/// 0.5 GB for the embedding, as much for the head, 0.1 GB of work space; KV cache of 0.
model_shape model_of(std::size_t layers, std::uint64_t layer_bytes) {
    model_shape out;
    out.name = "a-model";
    out.layers.assign(layers, {.weight_bytes = layer_bytes});
    out.first_bytes = out.last_bytes = gb / 2;
    out.compute = {.first = gb / 10, .middle = gb / 10, .last = gb / 10, .whole = gb / 10};
    for (std::size_t cut = 1; cut < layers; ++cut) {
        out.cuts.push_back(static_cast<std::int32_t>(cut));
    }
    out.embedding_length = 4096;
    return out;
}

wish no_margin() {
    wish out;
    out.margin_share = 0.0;
    out.margin_bytes = 0;
    return out;
}

network all_at(const std::vector<machine>& machines, double round_trip_ms) {
    network out;
    for (const machine& one : machines) {
        for (const machine& other : machines) {
            if (one.id < other.id) out.set(one.id, other.id, {.round_trip_ms = round_trip_ms});
        }
    }
    return out;
}

std::string shown(const result<placement>& plan) {
    return plan ? to_table(*plan) : plan.error().message;
}

std::string stages_of(const placement& plan) {
    std::string out;
    for (const stage& one : plan.stages) {
        out += (out.empty() ? "" : " ") + one.name + ":" + std::to_string(one.layers.first) + "-" +
               std::to_string(one.layers.end);
    }
    return out;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// --- one machine ---

TEST(make_plan, what_fits_on_one_machine_stays_on_one) {
    const auto model = model_of(32, gb / 8);
    const machine machines[] = {machine_of(1, "anna", 8 * gb, 20), machine_of(2, "bert", 8 * gb, 40),
                                machine_of(3, "cora", 3 * gb, 400)};
    const auto plan = make_plan(model, machines, {}, {});
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_EQ(stages_of(*plan), "bert:0-32");
    EXPECT_EQ(plan->network_ms, 0.0);
    EXPECT_TRUE(contains(plan->reason, "the fastest")) << plan->reason;
}

TEST(make_plan, the_whole_model_goes_where_it_was_named_if_it_fits_there) {
    const auto model = model_of(32, gb / 8);
    const machine machines[] = {machine_of(1, "anna", 8 * gb, 20), machine_of(2, "bert", 8 * gb, 40),
                                machine_of(3, "cora", 3 * gb, 400)};
    wish named;
    named.coordinator = id_of(1);
    EXPECT_EQ(stages_of(*make_plan(model, machines, {}, named)), "anna:0-32");
    named.coordinator = id_of(3);
    EXPECT_EQ(stages_of(*make_plan(model, machines, {}, named)), "bert:0-32");
}

TEST(make_plan, a_shared_embedding_is_held_once_by_one_machine_and_twice_by_two) {
    auto model = model_of(4, gb);
    const machine one[] = {machine_of(1, "anna", 46 * gb / 10)};
    EXPECT_FALSE(make_plan(model, one, {}, no_margin()));  // 4 + 0.5 + 0.5 + 0.1
    model.shared_bytes = gb / 2;
    ASSERT_TRUE(make_plan(model, one, {}, no_margin()));
    const machine two[] = {machine_of(1, "anna", 45 * gb / 10), machine_of(2, "bert", 45 * gb / 10)};
    const auto plan = make_plan(model, two, {}, no_margin());
    ASSERT_TRUE(plan) << shown(plan);
    ASSERT_EQ(plan->stages.size(), 2U);
    EXPECT_EQ(plan->stages[0].memory.weight_bytes + plan->stages[1].memory.weight_bytes, 5 * gb);
}

// --- several ---

TEST(make_plan, the_machine_where_it_was_named_coordinates_and_runs_the_last_stage) {
    const auto model = model_of(30, gb / 2);
    const std::vector<machine> machines{machine_of(1, "anna", 8 * gb), machine_of(2, "bert", 8 * gb),
                                        machine_of(3, "cora", 8 * gb)};
    for (std::uint8_t n = 1; n <= 3; ++n) {
        wish what;
        what.coordinator = id_of(n);
        const auto plan = make_plan(model, machines, all_at(machines, 1), what);
        ASSERT_TRUE(plan) << shown(plan);
        EXPECT_EQ(plan->coordinator().node, id_of(n));
        EXPECT_EQ(plan->stages.size(), 3U);
    }
}

TEST(make_plan, no_more_machines_than_it_takes_where_the_network_is_slow) {
    const auto model = model_of(16, gb / 4);
    const std::vector<machine> machines{machine_of(1, "anna", 4 * gb), machine_of(2, "bert", 4 * gb),
                                        machine_of(3, "cora", 4 * gb), machine_of(4, "dora", 4 * gb)};
    wish what;
    what.slots = 4;
    const auto far = make_plan(model, machines, all_at(machines, 400), what);
    ASSERT_TRUE(far);
    EXPECT_EQ(far->stages.size(), 2U) << shown(far);
    what.streams = 4;
    const auto near = make_plan(model, machines, all_at(machines, 0.1), what);
    ASSERT_TRUE(near);
    EXPECT_EQ(near->stages.size(), 4U) << shown(near);
    EXPECT_GT(near->groups, 1U);
}

TEST(make_plan, the_way_around_the_chain_is_the_short_one) {
    // On a line: 1 - 2 - 3 - 4, ten milliseconds from each to the next.
    const auto model = model_of(28, gb / 2);
    std::vector<machine> machines;
    for (std::uint8_t n = 1; n <= 4; ++n) machines.push_back(machine_of(n, "m" + std::to_string(n), 5 * gb));
    network links;
    for (std::uint8_t a = 1; a <= 4; ++a) {
        for (std::uint8_t b = 1; b < a; ++b) {
            links.set(id_of(a), id_of(b), {.round_trip_ms = 10.0 * (a - b)});
        }
    }
    const auto plan = make_plan(model, machines, links, no_margin());
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_EQ(plan->stages.size(), 4U);
    EXPECT_DOUBLE_EQ(plan->network_ms, 30.0) << shown(plan);  // there and back again: six one-way trips of 5 ms
}

TEST(make_plan, cuts_are_only_where_they_are_legal) {
    auto model = model_of(12, gb);
    model.cuts = {4, 8};
    const std::vector<machine> three{machine_of(1, "anna", 5 * gb), machine_of(2, "bert", 5 * gb),
                                     machine_of(3, "cora", 5 * gb)};
    const auto plan = make_plan(model, three, {}, no_margin());
    ASSERT_TRUE(plan) << shown(plan);
    for (const stage& one : plan->stages) {
        EXPECT_EQ(one.layers.count(), 4);
    }
    // 8 and 4 would not fit, and two machines of 7 GB could hold it if it could be cut at 6.
    const machine two[] = {machine_of(1, "anna", 7 * gb), machine_of(2, "bert", 7 * gb)};
    const auto refused = make_plan(model, two, {}, no_margin());
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::too_large);
    EXPECT_TRUE(contains(refused.error().message, "the largest piece is 4.0 GB")) << refused.error().message;
    model.cuts = {6};
    EXPECT_TRUE(make_plan(model, two, {}, no_margin()));
}

TEST(make_plan, exactly_as_many_stages_as_were_asked_for) {
    const auto model = model_of(12, gb / 4);
    const std::vector<machine> machines{machine_of(1, "anna", 8 * gb), machine_of(2, "bert", 8 * gb),
                                        machine_of(3, "cora", 8 * gb)};
    wish what;
    what.split = split_mode::exactly;
    for (what.stages = 1; what.stages <= 3; ++what.stages) {
        const auto plan = make_plan(model, machines, {}, what);
        ASSERT_TRUE(plan) << shown(plan);
        EXPECT_EQ(plan->stages.size(), what.stages);
    }
    const auto many = make_plan(model, machines, {}, what);
    ASSERT_FALSE(many);
    EXPECT_TRUE(many.error() == errc::too_few_machines);
    EXPECT_TRUE(contains(many.error().message, "4 stages were asked for and there are 3 machines"));
    what.stages = 13;
    EXPECT_TRUE(make_plan(model, machines, {}, what).error() == errc::cannot_split);
}

TEST(make_plan, machines_to_avoid_and_those_that_may_not_coordinate) {
    const auto model = model_of(16, gb / 2);
    std::vector<machine> machines{machine_of(1, "anna", 20 * gb, 90), machine_of(2, "bert", 6 * gb),
                                  machine_of(3, "cora", 6 * gb)};
    wish what;
    what.avoid = {id_of(1)};
    auto plan = make_plan(model, machines, {}, what);
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_EQ(plan->stages.size(), 2U);
    what.avoid.clear();
    machines[0].may_coordinate = false;
    machines[1].may_coordinate = false;
    plan = make_plan(model, machines, {}, what);
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_EQ(plan->coordinator().name, "cora");
    machines[2].may_coordinate = false;
    EXPECT_TRUE(make_plan(model, machines, {}, what).error() == errc::no_coordinator);
    what.avoid = {id_of(1), id_of(2), id_of(3)};
    EXPECT_TRUE(make_plan(model, machines, {}, what).error() == errc::no_machine);
}

// --- memory ---

TEST(make_plan, memory_is_itemised_and_within_the_margin) {
    auto model = model_of(20, gb / 2);
    for (layer_shape& layer : model.layers) {
        layer.kv_bytes_per_position = 1000;
        layer.state_bytes_per_sequence = 500;
    }
    const std::vector<machine> machines{machine_of(1, "anna", 8 * gb), machine_of(2, "bert", 8 * gb)};
    wish what;
    what.context = 10'000;
    what.slots = 3;
    const auto plan = make_plan(model, machines, {}, what);
    ASSERT_TRUE(plan) << shown(plan);
    std::uint64_t weights = 0;
    for (const stage& one : plan->stages) {
        const auto layers = static_cast<std::uint64_t>(one.layers.count());
        EXPECT_EQ(one.memory.kv_bytes, layers * 3 * (10'000 * 1000 + 500));
        EXPECT_EQ(one.memory.compute_bytes, gb / 10);
        EXPECT_LE(one.memory.total(), 8 * gb * 9 / 10);
        weights += one.memory.weight_bytes;
    }
    EXPECT_EQ(weights, 11 * gb);
}

TEST(make_plan, a_refusal_says_what_is_needed_and_what_each_machine_has) {
    const auto model = model_of(80, gb / 2);
    const machine machines[] = {machine_of(1, "anna", 10 * gb), machine_of(2, "bert", 20 * gb)};
    const auto refused = make_plan(model, machines, {}, {});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::too_large);
    EXPECT_EQ(refused.error().message,
              "'a-model' needs 41.1 GB of memory (41.0 GB weights, 0 bytes for 1 x 4096 tokens of context, 100 MB work "
              "space), and "
              "all 2 machines together have 27.0 GB: bert 18.0 GB, anna 9.0 GB after 10 % (at least 268 MB) are kept "
              "free; choose less context, a smaller model, or add a machine.");
    wish never;
    never.split = split_mode::never;
    const auto alone = make_plan(model_of(40, gb / 2), machines, {}, never);
    ASSERT_FALSE(alone);
    EXPECT_TRUE(contains(alone.error().message, "no machine has that much")) << alone.error().message;
    auto one_piece = model_of(40, gb / 2);
    one_piece.cuts.clear();
    EXPECT_TRUE(make_plan(one_piece, machines, {}, {}).error() == errc::cannot_split);
}

TEST(make_plan, numbers_from_others_that_make_no_sense_do_no_harm) {
    auto model = model_of(20, gb / 2);
    std::vector<machine> machines{machine_of(1, "anna", 8 * gb), machine_of(2, "bert", 8 * gb),
                                  machine_of(3, "cora", 8 * gb)};
    machines[0].read_bytes_per_s = std::numeric_limits<double>::quiet_NaN();
    machines[1].read_bytes_per_s = -5;
    machines[1].measured_layer_ms = std::numeric_limits<double>::infinity();
    machines[2].step_overhead_ms = -std::numeric_limits<double>::infinity();
    network links;
    links.set(id_of(1), id_of(2), {.round_trip_ms = std::numeric_limits<double>::quiet_NaN(), .bytes_per_s = -1});
    const auto plan = make_plan(model, machines, links, {});
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_TRUE(std::isfinite(plan->tokens_per_s));
    EXPECT_GT(plan->tokens_per_s, 0.0);
    machines[0].free_bytes = std::numeric_limits<std::uint64_t>::max();
    EXPECT_TRUE(make_plan(model, machines, links, {}));
    model.layers[3].kv_bytes_per_position = std::numeric_limits<std::uint64_t>::max() / 2;
    const auto refused = make_plan(model, machines, links, {});
    ASSERT_FALSE(refused) << shown(refused);
    EXPECT_TRUE(refused.error() == errc::too_large);
    machines[1].id = machines[0].id;
    EXPECT_TRUE(make_plan(model, machines, links, {}).error() == errc::invalid);
    EXPECT_TRUE(make_plan(model_of(0, gb), machines, links, {}).error() == errc::invalid);
}

TEST(make_plan, the_order_of_the_machines_makes_no_difference) {
    const auto model = model_of(40, gb / 2);
    std::vector<machine> machines;
    for (std::uint8_t n = 1; n <= 9; ++n) {
        machines.push_back(machine_of(n, "m" + std::to_string(n), (3 + n % 4) * gb, 10 + 7 * (n % 5)));
    }
    const auto links = all_at(machines, 3);
    const auto plan = make_plan(model, machines, links, {});
    ASSERT_TRUE(plan) << shown(plan);
    std::reverse(machines.begin(), machines.end());
    EXPECT_EQ(to_table(*make_plan(model, machines, links, {})), to_table(*plan));
}

// --- a plan that is in force ---

class with_a_plan : public Test {
  protected:
    void SetUp() override {
        for (std::uint8_t n = 1; n <= 4; ++n) machines.push_back(machine_of(n, "m" + std::to_string(n), 8 * gb));
        links = all_at(machines, 5);
        what.coordinator = id_of(3);
        what.previous = {{id_of(1), {0, 9}}, {id_of(2), {9, 20}}, {id_of(3), {20, 30}}};
    }

    void lose(std::uint8_t n) {
        std::erase_if(machines, [&](const machine& one) { return one.id == id_of(n); });
    }

    model_shape model = model_of(30, gb / 2);
    std::vector<machine> machines;
    network links;
    wish what;
};

TEST_F(with_a_plan, it_stays_while_nothing_is_much_better) {
    const auto plan = make_plan(model, machines, links, what);
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_EQ(stages_of(*plan), "m1:0-9 m2:9-20 m3:20-30");
    EXPECT_TRUE(contains(plan->reason, "3 of 3 stages stay where they are loaded")) << plan->reason;
    // A little faster is not worth it; many times faster is.
    machines[3].read_bytes_per_s *= 1.2;
    EXPECT_EQ(stages_of(*make_plan(model, machines, links, what)), "m1:0-9 m2:9-20 m3:20-30");
    machines[3].read_bytes_per_s *= 20;
    const auto moved = make_plan(model, machines, links, what);
    ASSERT_TRUE(moved);
    EXPECT_TRUE(contains(stages_of(*moved), "m4")) << shown(moved);
}

TEST_F(with_a_plan, a_spare_takes_the_layers_of_a_lost_stage) {
    for (std::uint8_t lost = 1; lost <= 3; ++lost) {
        auto left = machines;
        std::erase_if(left, [&](const machine& one) { return one.id == id_of(lost); });
        const auto plan = make_plan(model, left, links, what);
        ASSERT_TRUE(plan) << shown(plan);
        std::string expected = "m1:0-9 m2:9-20 m3:20-30";
        expected[expected.find("m" + std::to_string(lost)) + 1] = '4';
        EXPECT_EQ(stages_of(*plan), expected);
    }
}

TEST_F(with_a_plan, without_a_spare_the_others_take_the_layers_if_they_can) {
    lose(1);
    lose(4);
    EXPECT_FALSE(make_plan(model, machines, links, what));
    for (machine& one : machines) one.free_bytes = 13 * gb;
    const auto plan = make_plan(model, machines, links, what);
    ASSERT_TRUE(plan) << shown(plan);
    // The one that need not change does not.
    EXPECT_EQ(stages_of(*plan), "m2:0-20 m3:20-30");
}

TEST_F(with_a_plan, ranges_that_no_longer_fit_are_not_kept) {
    machines[1].free_bytes = 4 * gb;
    const auto plan = make_plan(model, machines, links, what);
    ASSERT_TRUE(plan) << shown(plan);
    for (const stage& one : plan->stages) {
        EXPECT_LE(one.memory.total(), one.usable_bytes);
    }
    EXPECT_TRUE(contains(stages_of(*plan), "m1:0-9")) << shown(plan);
}

// --- predict and the table ---

TEST(predict, one_stream_pays_each_trip_and_each_stage_once) {
    auto model = model_of(4, gb);
    const std::vector<machine> machines{machine_of(1, "anna", 8 * gb, 100), machine_of(2, "bert", 8 * gb, 50)};
    network links;
    links.set(id_of(1), id_of(2), {.round_trip_ms = 8});
    wish what;
    what.slots = 4;
    const loaded_stage stages[] = {{id_of(1), {0, 2}}, {id_of(2), {2, 4}}};
    const auto plan = predict(model, machines, links, what, stages);
    ASSERT_TRUE(plan) << shown(plan);
    EXPECT_DOUBLE_EQ(plan->stages[0].ms_per_token, 20);  // 2 GB at 100 GB/s
    EXPECT_DOUBLE_EQ(plan->stages[1].ms_per_token, 50);  // 2.5 GB at 50 GB/s, with the head
    EXPECT_DOUBLE_EQ(plan->network_ms, 8);
    EXPECT_DOUBLE_EQ(plan->tokens_per_s, 1000.0 / 78.0);
    // Two groups of two: bert works 2 x 75 ms a round. One group of four: 8 + 2.5 x 70 ms.
    EXPECT_EQ(plan->groups, 2U);
    EXPECT_DOUBLE_EQ(plan->total_tokens_per_s, 4000.0 / 150.0);
    EXPECT_TRUE(predict(model, machines, links, what, std::span(stages, 1)).error() == errc::invalid);
    const loaded_stage twice[] = {{id_of(1), {0, 2}}, {id_of(1), {2, 4}}};
    EXPECT_TRUE(predict(model, machines, links, what, twice).error() == errc::invalid);
}

TEST(to_table, has_a_line_for_each_stage_and_the_reason) {
    const auto model = model_of(30, gb / 2);
    const std::vector<machine> machines{machine_of(1, "anna", 8 * gb), machine_of(2, "bert", 8 * gb),
                                        machine_of(3, "", 8 * gb)};
    wish what;
    what.slots = 4;
    const auto plan = make_plan(model, machines, all_at(machines, 10), what);
    ASSERT_TRUE(plan);
    const std::string table = to_table(*plan);
    for (const stage& one : plan->stages) {
        EXPECT_TRUE(contains(table, std::to_string(one.layers.first) + "-" + std::to_string(one.layers.end - 1)));
    }
    EXPECT_TRUE(contains(table, "03030303")) << table;  // a machine without a name
    EXPECT_TRUE(contains(table, "coordinator"));
    EXPECT_TRUE(contains(table, "4 streams in"));
    EXPECT_TRUE(contains(table, plan->reason));
    EXPECT_EQ(table.back(), '\n');
}

}  // namespace
}  // namespace starling::plan
