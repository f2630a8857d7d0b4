// Deployments in virtual time: meshes of every kind are disturbed in every way, and come to rest.
// Repeat a run with its seed: ./dev sim SEED, or STARLING_SIM_SEED in the environment.
#include "deployment_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace starling::sim {
namespace {

using namespace std::chrono_literals;

/// From the last disturbance until every model is where it will stay.
constexpr auto rest_within = 2min;
constexpr std::size_t most_opens_per_minute = 25;

std::uint64_t seed() {
    const char* text = std::getenv("STARLING_SIM_SEED");
    return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

double seconds(duration d) {
    return std::chrono::duration<double>(d).count();
}

/// One mesh of chance, and what happens to it.
class trial {
  public:
    explicit trial(std::uint64_t number) : mesh(options(number)) {
        const std::size_t nodes = 3 + mesh.below(14);
        for (std::size_t i = 0; i < nodes; ++i) {
            add();
        }
        for (model m = 0; m < models; ++m) {
            const std::size_t names = 1 + mesh.below(3);
            for (std::size_t i = 0; i < names; ++i) {
                mesh.name(mesh.below(nodes), m);
            }
        }
    }

    void disturb() {
        const std::size_t count = 3 + mesh.below(25);
        for (std::size_t i = 0; i < count; ++i) {
            one_disturbance();
            const double patience = mesh.fraction();
            mesh.run_for(duration(static_cast<duration::rep>(patience * patience * 30e9)));
        }
        if (mesh.fraction() < 0.7) {
            mesh.heal();
        }
        mesh.heal_cuts();
        for (endpoint who = 0; who < mesh.size(); ++who) {
            for (model m = 0; m < models; ++m) {
                mesh.lie(who, m, std::nullopt);
            }
        }
    }

    deployment_mesh mesh;
    std::size_t models = mesh.model_count();

  private:
    static deployment_options options(std::uint64_t number) {
        deployment_options out{.seed = number};
        out.layers.clear();
        const auto count = 1 + static_cast<std::size_t>(uniform_draw(number, 1ULL << 40) * 3);
        for (std::size_t m = 0; m < count; ++m) {
            out.layers.push_back(4 + static_cast<std::uint32_t>(uniform_draw(number, (1ULL << 41) + m) * 28));
        }
        out.loss = uniform_draw(number, 1ULL << 42) * 0.3;
        out.longest_load = duration(static_cast<duration::rep>((1 + uniform_draw(number, 1ULL << 43) * 29) * 1e9));
        return out;
    }

    void add() {
        const auto who = mesh.add(1 + static_cast<std::uint32_t>(mesh.below(14)));
        for (model m = 0; m < models; ++m) {
            if (mesh.fraction() < 0.07) {
                mesh.take_file(who, m);
            }
        }
    }

    /// That it coordinates, by a term of any size.
    void lie(endpoint who) {
        constexpr std::array<std::uint64_t, 4> terms{2, 50, 1ULL << 33U, ~0ULL};
        constexpr std::array states{deployment::announced_state::forming, deployment::announced_state::serving,
                                    deployment::announced_state::starved, deployment::announced_state::leaving};
        const deployment::claim by{terms[mesh.below(terms.size())], mesh.id_of(who), 1};
        mesh.lie(who, mesh.below(models),
                 deployment::announcement{.by = by, .state = states[mesh.below(states.size())]});
    }

    void one_disturbance() {
        const auto who = mesh.below(mesh.size());
        const double what = mesh.fraction();
        if (what < 0.2) {
            mesh.crash(who);
        } else if (what < 0.45) {
            mesh.restart(who);
        } else if (what < 0.55) {
            mesh.leave(who);
        } else if (what < 0.65) {
            std::vector<int> groups(mesh.size());
            for (int& group : groups) {
                group = static_cast<int>(mesh.below(2));
            }
            mesh.part(groups);
        } else if (what < 0.75) {
            mesh.heal();
        } else if (what < 0.85) {
            if (const auto other = mesh.below(mesh.size()); other != who) {
                mesh.cut(who, other);
            }
        } else if (what < 0.92 && mesh.size() < 16) {
            add();
        } else if (what < 0.96) {
            lie(who);
        } else {
            mesh.name(who, mesh.below(models));
        }
    }
};

/// Runs for all the time that is allowed; when it was last not at rest.
duration time_to_rest(deployment_mesh& mesh) {
    const auto begin = mesh.now();
    auto last = begin;
    while (mesh.now() - begin < rest_within) {
        mesh.run_for(250ms);
        if (!mesh.unrest().empty()) {
            last = mesh.now();
        }
    }
    return last - begin;
}

/// Some thousands of them; a failure names the number of its mesh.
void run_trials(std::uint64_t first, std::uint64_t count) {
    duration slowest{};
    duration sum{};
    std::size_t most_opens = 0;
    std::uint64_t publications = 0;
    for (std::uint64_t number = first; number < first + count; ++number) {
        trial t(number);
        t.disturb();
        const duration rest = time_to_rest(t.mesh);
        ASSERT_TRUE(t.mesh.unrest().empty()) << "mesh " << number << ": " << t.mesh.unrest() << "\n" << t.mesh.story();
        ASSERT_TRUE(t.mesh.violations().empty()) << "mesh " << number << ": " << t.mesh.violations().front() << "\n"
                                                 << t.mesh.story();
        ASSERT_LE(t.mesh.most_opens_in_a_minute, most_opens_per_minute) << "mesh " << number << "\n" << t.mesh.story();
        slowest = std::max(slowest, rest);
        sum += rest;
        most_opens = std::max(most_opens, t.mesh.most_opens_in_a_minute);
        publications += t.mesh.publications;
        // What serves goes on serving: nothing moves without a reason.
        const auto served = t.mesh.routes();
        t.mesh.run_for(2min);
        const auto later = t.mesh.routes();
        ASSERT_TRUE(std::includes(later.begin(), later.end(), served.begin(), served.end()))
            << "mesh " << number << " moves at rest\n"
            << t.mesh.story();
    }
    std::printf(
        "  %llu meshes of 3 to 16 nodes with 1 to 3 models: at rest %.1f s after the last disturbance (worst %.1f s);\n"
        "        %llu routes published, at most %zu attempts by one node in a minute\n",
        static_cast<unsigned long long>(count), seconds(sum) / static_cast<double>(count), seconds(slowest),
        static_cast<unsigned long long>(publications), most_opens);
}

class deployments : public testing::TestWithParam<std::uint64_t> {};

TEST_P(deployments, come_to_rest_whatever_happens) {
    SCOPED_TRACE("repeat with ./dev sim " + std::to_string(seed()));
    run_trials(seed() * 1'000'000, GetParam());
}

INSTANTIATE_TEST_SUITE_P(quick, deployments, testing::Values(400));
INSTANTIATE_TEST_SUITE_P(full, deployments, testing::Values(4000));

// --- what is expected of one thing at a time ---

class one_thing : public testing::Test {
  protected:
    testing::ScopedTrace trace{__FILE__, __LINE__, "repeat with ./dev sim " + std::to_string(seed())};
    deployment_mesh mesh{{.seed = seed(), .layers = {12}, .loss = 0, .broken_loads = 0, .longest_load = 3s}};

    void add(std::size_t count, std::uint32_t memory) {
        for (std::size_t i = 0; i < count; ++i) {
            mesh.add(memory);
        }
        mesh.run_for(5s);
    }

    endpoint serve(endpoint who = 0) {
        mesh.name(who, 0);
        EXPECT_TRUE(rest(15s).has_value()) << mesh.unrest() << "\n" << mesh.story();
        const auto routes = mesh.publishers(0);
        EXPECT_EQ(routes.size(), 1U) << mesh.story();
        return routes.empty() ? who : routes[0];
    }

    std::optional<duration> rest(duration patience) {
        return mesh.run_until([&] { return mesh.unrest().empty(); }, patience);
    }

    /// After something happened: until somebody else, or the same again, serves by another claim.
    std::optional<duration> moved(duration patience) {
        const auto before = mesh.routes();
        return mesh.run_until(
            [&] { return !mesh.routes().empty() && mesh.routes() != before && mesh.unrest().empty(); }, patience);
    }

    ~one_thing() override { EXPECT_TRUE(mesh.violations().empty()) << mesh.violations().front(); }
};

TEST_F(one_thing, all_start_at_once) {
    add(8, 5);
    for (endpoint who = 0; who < 8; ++who) {
        mesh.name(who, 0);
    }
    mesh.run_for(20s);
    EXPECT_EQ(mesh.unrest(), "");
    EXPECT_EQ(mesh.publishers(0).size(), 1U);
    EXPECT_LE(mesh.opens, 8U);
}

TEST_F(one_thing, a_coordinator_dies) {
    add(5, 5);
    const auto first = serve();
    mesh.crash(first);
    const auto took = moved(30s);
    ASSERT_TRUE(took.has_value()) << mesh.story();
    EXPECT_LT(*took, 15s);  // of which up to 6 until its death is known, and up to 3 to load
    std::printf("  a coordinator that crashed is replaced in %.1f s\n", seconds(*took));
}

TEST_F(one_thing, a_coordinator_leaves_and_its_successor_does_not_wait_for_its_death) {
    add(5, 5);
    const auto first = serve();
    mesh.leave(first);
    const auto took = moved(30s);
    ASSERT_TRUE(took.has_value()) << mesh.story();
    EXPECT_LT(*took, 6s);
    std::printf("  a coordinator that says goodbye is replaced in %.1f s\n", seconds(*took));
}

TEST_F(one_thing, a_stage_leaves) {
    add(5, 5);
    serve();
    const auto claim = std::get<2>(mesh.routes()[0]);
    for (endpoint who = 1; who < 5; ++who) {  // one of them holds a stage
        const auto* c = mesh.candidate_at(who, 0);
        if (c != nullptr && c->may_claim()) {
            mesh.leave(who);
            break;
        }
    }
    const auto took = moved(20s);
    ASSERT_TRUE(took.has_value()) << mesh.story();
    EXPECT_LT(*took, 5s);
    EXPECT_TRUE(same_reign(claim, std::get<2>(mesh.routes()[0])));
}

TEST_F(one_thing, halves_that_both_serve_become_one) {
    add(8, 5);
    serve();
    mesh.name(1, 0);
    mesh.part({0, 1, 0, 1, 0, 1, 0, 1});
    mesh.run_for(60s);
    ASSERT_EQ(mesh.publishers(0).size(), 2U) << mesh.story();
    mesh.heal();
    mesh.run_for(15s);
    EXPECT_EQ(mesh.publishers(0).size(), 1U) << mesh.story();
    EXPECT_EQ(mesh.stand_downs, 1U);
    EXPECT_EQ(mesh.unrest(), "");
}

TEST_F(one_thing, a_starved_one_comes_back_with_the_node_that_it_needs) {
    add(2, 5);
    mesh.name(0, 0);
    mesh.run_for(60s);
    EXPECT_EQ(mesh.candidate_at(0, 0)->state(), deployment::candidate_state::starved);
    EXPECT_EQ(mesh.unrest(), "");
    mesh.add(5);
    const auto took = moved(30s);
    ASSERT_TRUE(took.has_value()) << mesh.story();
    EXPECT_LT(*took, 12s);
}

TEST_F(one_thing, what_serves_is_left_alone_by_those_who_come) {
    add(4, 5);
    serve();
    const auto before = mesh.routes();
    for (endpoint who = 0; who < 4; ++who) {
        mesh.add(20);
        mesh.run_for(5s);  // it joins first
        mesh.name(4 + who, 0);
        mesh.run_for(30s);
    }
    EXPECT_EQ(mesh.routes(), before);
    EXPECT_EQ(mesh.publications, 1U);
}

TEST_F(one_thing, an_absurd_term_wedges_nothing) {
    add(6, 5);
    const auto first = serve();
    const auto before = mesh.routes();
    for (const auto term : {~std::uint64_t{0}, ~std::uint64_t{0} - 1, std::uint64_t{1} << 63U}) {
        mesh.lie(
            5, 0,
            deployment::announcement{.by = {term, mesh.id_of(5), 1}, .state = deployment::announced_state::serving});
        mesh.run_for(60s);
        EXPECT_EQ(mesh.routes(), before) << term;
    }
    mesh.crash(first);
    EXPECT_TRUE(moved(30s).has_value()) << mesh.story();  // while it goes on lying
    mesh.name(first, 0);
    mesh.restart(first);  // knows nothing of any term
    mesh.run_for(60s);
    EXPECT_EQ(mesh.publishers(0).size(), 1U) << mesh.story();
}

TEST_F(one_thing, two_that_never_hear_each_other_do_not_outbid_each_other) {
    add(4, 5);
    mesh.cut(0, 1);
    mesh.run_for(10s);
    mesh.name(0, 0);
    mesh.name(1, 0);
    mesh.run_for(10min);
    EXPECT_EQ(mesh.publishers(0).size(), 1U) << mesh.story();
    EXPECT_LE(mesh.publications, 3U);
    mesh.heal();
    mesh.run_for(60s);
    EXPECT_EQ(mesh.unrest(), "");
}

/// Each of the two needs more than half of all memory, and each has a coordinator that takes what it can.
TEST(two_models, that_fit_only_one_at_a_time_do_not_wedge_each_other) {
    SCOPED_TRACE("repeat with ./dev sim " + std::to_string(seed()));
    duration slowest{};
    for (std::uint64_t i = 0; i < 100; ++i) {
        deployment_mesh mesh({.seed = seed() * 1000 + i, .layers = {16, 16}, .loss = 0, .broken_loads = 0});
        for (int n = 0; n < 6; ++n) {
            mesh.add(4);
        }
        mesh.run_for(5s);
        mesh.name(0, 0);
        mesh.name(1, 1);
        const auto took = mesh.run_until([&] { return mesh.unrest().empty(); }, 2min);
        ASSERT_TRUE(took.has_value()) << i << ": " << mesh.unrest() << "\n" << mesh.story();
        ASSERT_EQ(mesh.publishers(0).size() + mesh.publishers(1).size(), 1U);
        slowest = std::max(slowest, *took);
        const auto winner = mesh.routes();
        mesh.run_for(2min);
        ASSERT_EQ(mesh.routes(), winner) << mesh.story();
        mesh.crash(
            std::get<0>(winner[0]));  // the rest hold either, and one of them has it within the time that is stated
        ASSERT_TRUE(mesh.run_until([&] { return !mesh.routes().empty() && mesh.unrest().empty(); }, rest_within))
            << i << ": " << mesh.unrest() << "\n"
            << mesh.story();
        ASSERT_TRUE(mesh.violations().empty()) << mesh.violations().front();
    }
    std::printf("  two models for the memory of one: settled in %.1f s at worst of 100 meshes\n", seconds(slowest));
}

}  // namespace
}  // namespace starling::sim
