// Deployments in virtual time: meshes of every kind are disturbed in every way, and come to rest.
// Repeat a run with its seed: ./dev sim SEED, or STARLING_SIM_SEED in the environment.
#include "deployment_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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
        t.mesh.heal_cuts();
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

}  // namespace
}  // namespace starling::sim
