#include "plan/plan.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace starling::plan {
namespace {

constexpr std::uint64_t gb = 1'000'000'000;

node_id id_of(std::uint8_t n) {
    node_id id;
    id.bytes.fill(n);
    return id;
}

machine machine_of(std::uint8_t n, std::string name, std::uint64_t free_bytes, double gb_per_s) {
    machine out;
    out.id = id_of(n);
    out.name = std::move(name);
    out.free_bytes = free_bytes;
    out.read_bytes_per_s = gb_per_s * 1e9;
    return out;
}

model_shape model_of(std::size_t layers, std::uint64_t layer_bytes) {
    model_shape out;
    out.name = "a-model";
    out.layers.assign(layers, {.weight_bytes = layer_bytes, .kv_bytes_per_position = 4096});
    out.first_bytes = out.last_bytes = layer_bytes / 2;
    out.compute = {.first = gb / 10, .middle = gb / 10, .last = gb / 5, .whole = gb / 5};
    for (std::size_t cut = 1; cut < layers; ++cut) {
        out.cuts.push_back(static_cast<std::int32_t>(cut));
    }
    out.embedding_length = 4096;
    return out;
}

TEST(make_plan, what_fits_on_one_machine_stays_on_one) {
    const auto model = model_of(32, gb / 8);
    const machine machines[] = {machine_of(1, "anna", 8 * gb, 20), machine_of(2, "bert", 8 * gb, 40),
                                machine_of(3, "cora", 3 * gb, 400)};
    const auto plan = make_plan(model, machines, {}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->stages.size(), 1U);
    EXPECT_EQ(plan->stages[0].name, "bert");
    EXPECT_EQ(plan->stages[0].layers, (layer_range{0, 32}));
    wish named;
    named.coordinator = id_of(1);
    EXPECT_EQ(make_plan(model, machines, {}, named)->coordinator().name, "anna");
}

TEST(make_plan, what_fits_nowhere_is_split) {
    const auto model = model_of(32, gb / 2);
    const machine machines[] = {machine_of(1, "anna", 8 * gb, 20), machine_of(2, "bert", 8 * gb, 40),
                                machine_of(3, "cora", 8 * gb, 10)};
    const auto plan = make_plan(model, machines, {}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->stages.size(), 3U);
    std::fputs(to_table(*plan).c_str(), stderr);
    wish never;
    never.split = split_mode::never;
    const auto refused = make_plan(model, machines, {}, never);
    ASSERT_FALSE(refused);
    std::fprintf(stderr, "%s\n", refused.error().message.c_str());
    const auto none = make_plan(model, std::span(machines, 2), {}, {});
    ASSERT_FALSE(none);
    std::fprintf(stderr, "%s\n", none.error().message.c_str());
}

}  // namespace
}  // namespace starling::plan
