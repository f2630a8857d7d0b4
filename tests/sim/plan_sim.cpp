// Plans for clusters drawn from seeds: whether one is found whenever there is one, how close to the best it is, and
// whether the simulator agrees with what was predicted. Repeat with ./dev sim SEED, or STARLING_SIM_SEED.
#include "clusters.hpp"
#include "plan/feasible.hpp"
#include "plan/level.hpp"
#include "plan/order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace starling::sim {
namespace {

std::uint64_t seed() {
    const char* text = std::getenv("STARLING_SIM_SEED");
    return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

std::string repeat(std::uint64_t of) {
    return "cluster seed " + std::to_string(of) + ", repeat with ./dev sim " + std::to_string(seed());
}

class clusters : public testing::TestWithParam<std::uint64_t> {  // how many
  protected:
    static std::uint64_t seed_of(std::uint64_t i) { return seed() * 1'000'000 + i; }
};

TEST_P(clusters, a_plan_is_found_whenever_there_is_one) {
    std::uint64_t feasible = 0;
    for (std::uint64_t i = 0; i < GetParam(); ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        // Every eighth has up to sixteen machines, the others few enough to try everything.
        const cluster of =
            i % 8 == 0 ? draw_awkward_cluster(seed_of(i), 7, 16) : draw_awkward_cluster(seed_of(i), 1, 6);
        const bool possible = anything_fits(of);
        feasible += possible ? 1 : 0;
        const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
        ASSERT_EQ(plan.has_value(), possible) << (plan ? plan::to_table(*plan) : plan.error().message);
        if (plan) {
            ASSERT_TRUE(fits(of, split_of(*plan))) << plan::to_table(*plan);
        }
    }
    std::printf("%llu of %llu clusters hold their model\n", static_cast<unsigned long long>(feasible),
                static_cast<unsigned long long>(GetParam()));
    EXPECT_GT(feasible, GetParam() / 5);
    EXPECT_LT(feasible, GetParam() * 4 / 5);
}

/// All splits that fit, for a visitor.
template <class Visit>
void each_split(const cluster& of, split& begun, const Visit& visit) {
    const auto end = static_cast<std::int32_t>(of.model.layers.size());
    const std::int32_t from = begun.empty() ? 0 : begun.back().layers.end;
    if (from == end) {
        if (fits(of, begun)) visit(begun);
        return;
    }
    auto cuts = of.model.cuts;
    cuts.push_back(end);
    for (const plan::machine& one : of.machines) {
        if (std::any_of(begun.begin(), begun.end(), [&](const auto& s) { return s.node == one.id; })) continue;
        for (const std::int32_t to : cuts) {
            if (to <= from) continue;
            begun.push_back({.node = one.id, .layers = {from, to}});
            each_split(of, begun, visit);
            begun.pop_back();
        }
    }
}

bool something_fits_in(const cluster& of, std::size_t stages) {
    bool found = false;
    split begun;
    each_split(of, begun, [&](const split& one) { found = found || one.size() == stages; });
    return found;
}

TEST_P(clusters, exactly_as_many_stages_as_were_asked_for) {
    for (std::uint64_t i = 0; i < GetParam() / 4; ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        cluster of = draw_awkward_cluster(seed_of(i), 1, 5);
        of.wish.split = plan::split_mode::exactly;
        for (std::size_t stages = 1; stages <= 5; ++stages) {
            of.wish.stages = stages;
            const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
            ASSERT_EQ(plan.has_value(), something_fits_in(of, stages)) << stages << " stages";
            if (plan) {
                ASSERT_EQ(plan->stages.size(), stages);
                ASSERT_TRUE(fits(of, split_of(*plan)));
            }
        }
    }
}

// Without the orders that the search would guess: the argument of feasible.hpp alone.
TEST_P(clusters, whether_a_model_fits_is_known_without_luck) {
    std::uint64_t feasible = 0;
    for (std::uint64_t i = 0; i < GetParam() / 4; ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        const cluster of = draw_awkward_cluster(seed_of(i), 2, 11);
        const bool possible = anything_fits(of);
        feasible += possible ? 1 : 0;
        const plan::problem problem(of.model, of.machines, of.links, of.wish);
        const auto orders = plan::feasible_orders(problem);
        ASSERT_EQ(!orders.empty(), possible);
        plan::order_solver solver(problem, {});
        for (const auto& order : orders) {
            ASSERT_TRUE(solver.solve(order));
        }
    }
    EXPECT_GT(feasible, GetParam() / 4 / 5);
}

TEST_P(clusters, nothing_is_much_better_than_the_plan) {
    double worst = 1.0;
    std::uint64_t compared = 0;
    for (std::uint64_t i = 0; i < GetParam() / 2; ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        cluster of = draw_awkward_cluster(seed_of(i), 1, 4);
        of.wish.streams = 1 + static_cast<std::int64_t>(i % 4);
        const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
        if (!plan || plan->stages.size() == 1) continue;
        plan::wish as_many = of.wish;
        as_many.slots = of.wish.streams;  // so that predict() tells the rate of these
        double best = 0.0;
        split begun;
        each_split(of, begun, [&](const split& one) {
            best = std::max(best, plan::predict(of.model, of.machines, of.links, as_many, one)->total_tokens_per_s);
        });
        const double ours =
            plan::predict(of.model, of.machines, of.links, as_many, split_of(*plan))->total_tokens_per_s;
        worst = std::max(worst, best / ours);
        ++compared;
    }
    std::printf("the best of all splits gives at most %.4f times the tokens of the plan (%llu clusters)\n", worst,
                static_cast<unsigned long long>(compared));
    EXPECT_GT(compared, GetParam() / 20);
    EXPECT_LT(worst, 1.01 * plan::level_cost);  // what evenness may cost
}

/// The best over every order of every subset of the machines.
double best_period(const plan::problem& problem, plan::order_solver& solver, std::vector<std::size_t>& order,
                   double best) {
    if (!order.empty() && problem.nodes()[order.back()].what.may_coordinate) {
        if (const auto found = solver.solve(order, best)) best = found->score;
    }
    for (std::size_t one = 0; one < problem.nodes().size(); ++one) {
        if (std::find(order.begin(), order.end(), one) != order.end()) continue;
        order.insert(order.begin(), one);
        best = best_period(problem, solver, order, best);
        order.erase(order.begin());
    }
    return best;
}

// Seven machines are too many for the planner to try every order of them; here they are tried.
TEST_P(clusters, no_order_is_much_better_than_the_one_that_is_found) {
    std::vector<double> ratios;
    for (std::uint64_t i = 0; i < GetParam() / 40; ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        const cluster of = draw_cluster(seed_of(i), 7, 7, model_size::beyond_each);
        const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
        if (!plan) continue;
        const plan::problem problem(of.model, of.machines, of.links, of.wish);
        plan::order_solver solver(problem, {});
        std::vector<std::size_t> order;
        std::vector<plan::unit_range> ranges;
        for (const plan::stage& stage : plan->stages) {
            ranges.push_back(*problem.units_of(stage.layers));
            for (std::size_t one = 0; one < problem.nodes().size(); ++one) {
                if (problem.nodes()[one].what.id == stage.node) order.push_back(one);
            }
        }
        const double ours = solver.judge(order, ranges).score;
        order.clear();
        ratios.push_back(ours / best_period(problem, solver, order, ours));
    }
    ASSERT_FALSE(ratios.empty());
    std::sort(ratios.begin(), ratios.end());
    std::printf("the best of all orders is at most %.4f times as fast (%zu clusters)\n", ratios.back(), ratios.size());
    EXPECT_LT(ratios.back(), 1.1);
    EXPECT_LT(ratios[ratios.size() / 2], 1.001);
}

TEST_P(clusters, the_simulator_agrees_with_the_prediction) {
    double worst = 0.0;
    for (std::uint64_t i = 0; i < GetParam() / 20; ++i) {
        SCOPED_TRACE(repeat(seed_of(i)));
        const cluster of = draw_cluster(seed_of(i), 2, 16);
        const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
        if (!plan) continue;
        const chain ring = chain_of(of, split_of(*plan));
        const double one = simulate(ring, {}).tokens_per_s;
        const double all =
            simulate(ring, {.streams = static_cast<std::uint64_t>(of.wish.slots), .groups = plan->groups}).tokens_per_s;
        EXPECT_NEAR(one / plan->tokens_per_s, 1.0, 0.01);
        worst = std::max(worst, std::abs(all / plan->total_tokens_per_s - 1.0));
    }
    std::printf("total throughput is predicted within %.1f %%\n", 100.0 * worst);
    EXPECT_LT(worst, 0.05);
}

TEST_P(clusters, plans_are_made_quickly) {
    double slowest_ms = 0.0;
    for (std::uint64_t i = 0; i < GetParam() / 50; ++i) {
        const cluster of = draw_cluster(seed_of(i), 16, 16);
        const auto begun = std::chrono::steady_clock::now();
        const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
        slowest_ms = std::max(
            slowest_ms, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    }
    std::printf("the slowest plan took %.0f ms\n", slowest_ms);
}

INSTANTIATE_TEST_SUITE_P(quick, clusters, testing::Values(400));
INSTANTIATE_TEST_SUITE_P(full, clusters, testing::Values(4000));

}  // namespace
}  // namespace starling::sim
