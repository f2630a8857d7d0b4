// Membership in virtual time: the figures that are promised, and what networks and members do to each other.
// Repeat a run with its seed: ./dev sim SEED, or STARLING_SIM_SEED in the environment.
#include "membership_mesh.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace starling::sim {
namespace {

using namespace std::chrono_literals;
using membership::member_state;

constexpr double promised_loss = 0.05;
constexpr auto death_known_within = 10s;  // to 99 % of the nodes
constexpr auto healed_within = 15s;
constexpr double most_bytes_per_s = 2000.0;

std::uint64_t seed() {
    const char* text = std::getenv("STARLING_SIM_SEED");
    return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

double seconds(duration d) {
    return std::chrono::duration<double>(d).count();
}

struct with_seed : testing::Test {
    testing::ScopedTrace trace{__FILE__, __LINE__, "repeat with ./dev sim " + std::to_string(seed())};
};

// --- the figures ---

class figures : public testing::TestWithParam<std::size_t> {
  protected:
    testing::ScopedTrace trace{__FILE__, __LINE__, "repeat with ./dev sim " + std::to_string(seed())};
    std::size_t nodes = GetParam();
    membership_mesh mesh{{.seed = seed(), .air = {.loss = promised_loss}}};

    /// Until `share` of those who are up know that `who` is gone.
    std::optional<duration> time_until_known(endpoint who, double share) {
        const auto others = mesh.up_count() - (mesh.is_up(who) ? 1 : 0);
        const auto needed = static_cast<std::size_t>(std::ceil(share * static_cast<double>(others)));
        return mesh.run_until([&] { return mesh.count_gone(who) >= needed; }, 60s);
    }

    duration slowest_death(endpoint first, int deaths) {
        duration slowest{};
        for (int i = 0; i < deaths; ++i) {
            const auto who = first + static_cast<endpoint>(i);
            mesh.crash(who);
            slowest = std::max(slowest, time_until_known(who, 0.99).value_or(1h));
            EXPECT_TRUE(time_until_known(who, 1.0).has_value());
        }
        return slowest;
    }

    duration heal_halves() {
        mesh.net().set_filter([](endpoint from, endpoint to) { return from % 2 == to % 2; });
        const auto half = (mesh.up_count() + 1) / 2;
        const auto parted = mesh.run_until(
            [&] {
                for (endpoint who = 0; who < mesh.size(); ++who) {
                    if (mesh.is_up(who) && mesh.at(who).live_count() + 1 > half) {
                        return false;
                    }
                }
                return true;
            },
            10min);
        EXPECT_TRUE(parted.has_value());
        mesh.net().set_filter({});
        return mesh.run_until([&] { return mesh.agrees(); }, 5min).value_or(1h);
    }
};

TEST_P(figures, hold) {
    const auto steady = nodes < 1000 ? 3min : 10min;
    ASSERT_TRUE(mesh.form(nodes, nodes * 20ms, 60s));
    const auto formed = mesh.net().now().time_since_epoch();
    mesh.run_for(60s);  // until the news of the beginning has been told
    mesh.forget_traffic();
    mesh.false_deaths = 0;
    mesh.run_for(steady);
    const double bytes_per_s = static_cast<double>(mesh.sent_bytes) / static_cast<double>(nodes) / seconds(steady);
    const double most_by_one = static_cast<double>(mesh.most_sent_by_one()) / seconds(steady);
    const auto false_deaths = mesh.false_deaths;
    EXPECT_EQ(false_deaths, 0U);
    EXPECT_TRUE(mesh.agrees());
    EXPECT_LT(most_by_one, most_bytes_per_s);

    const auto death = slowest_death(1, nodes < 100 ? 2 : 8);
    EXPECT_LT(death, death_known_within);
    mesh.leave(0);
    const auto left = time_until_known(0, 0.99).value_or(1h);
    EXPECT_LT(left, death_known_within);
    mesh.crash(0);
    const auto heal = heal_halves();
    EXPECT_LT(heal, healed_within);
    EXPECT_LE(mesh.largest_datagram, membership::datagram_bytes);

    std::printf(
        "  %5zu nodes, %.0f %% loss: formed in %.1f s; %.0f B/s each (most %.0f); %llu false deaths in %.0f min;\n"
        "        death known to 99 %% in %.1f s at worst, goodbye in %.1f s; halves healed in %.1f s\n",
        nodes, promised_loss * 100, seconds(formed), bytes_per_s, most_by_one,
        static_cast<unsigned long long>(false_deaths), seconds(steady) / 60, seconds(death), seconds(left),
        seconds(heal));
}

INSTANTIATE_TEST_SUITE_P(quick, figures, testing::Values(10, 100));
INSTANTIATE_TEST_SUITE_P(full, figures, testing::Values(1000));

// --- small meshes: what most people have ---

class small_mesh : public figures {};

TEST_P(small_mesh, notices_a_death_and_a_return_and_heals) {
    ASSERT_TRUE(mesh.form(nodes, 1s, 30s));
    mesh.run_for(5min);
    EXPECT_EQ(mesh.false_deaths, 0U);
    mesh.crash(1);
    const auto death = time_until_known(1, 1.0);
    ASSERT_TRUE(death.has_value());
    EXPECT_LT(*death, 6s);
    mesh.run_for(1h);
    mesh.restart(1, membership_mesh::memory::lost);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.agrees(); }, 10s).has_value());
    mesh.run_for(30s);
    EXPECT_LT(heal_halves(), 5s);
}

INSTANTIATE_TEST_SUITE_P(quick, small_mesh, testing::Values(2, 3, 5));

// --- bad networks ---

class loss : public testing::TestWithParam<int> {};

TEST_P(loss, kills_nobody_for_long) {
    SCOPED_TRACE("repeat with ./dev sim " + std::to_string(seed()));
    membership_mesh mesh({.seed = seed(), .air = {.loss = GetParam() / 100.0}});
    ASSERT_TRUE(mesh.form(60, 6s, 60s));
    mesh.run_for(4min);
    const auto calm = mesh.run_until([&] { return mesh.nobody_up_is_dead(); }, 15s);
    EXPECT_TRUE(calm.has_value());
    EXPECT_LT(mesh.longest_false_death, 15s);
    if (GetParam() <= 10) {
        EXPECT_EQ(mesh.false_deaths, 0U);
    }
    std::printf("  60 nodes, %d %% loss: %llu false deaths among 3,540 views in 4 min, the longest of %.1f s\n",
                GetParam(), static_cast<unsigned long long>(mesh.false_deaths), seconds(mesh.longest_false_death));
}

INSTANTIATE_TEST_SUITE_P(quick, loss, testing::Values(1, 10, 20, 30));

class bad_network : public with_seed {};

TEST_F(bad_network, clocks_of_any_rate_and_offset) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}, .clock_skew = 0.1});
    ASSERT_TRUE(mesh.form(60, 6s, 60s));
    mesh.run_for(4min);
    EXPECT_EQ(mesh.false_deaths, 0U);
    mesh.crash(7);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.count_gone(7) == mesh.up_count(); }, 10s).has_value());
}

TEST_F(bad_network, datagrams_doubled_and_out_of_order) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss, .doubled = 0.3, .held_back = 0.05}});
    ASSERT_TRUE(mesh.form(60, 6s, 60s));
    mesh.run_for(4min);
    EXPECT_EQ(mesh.false_deaths, 0U);
    mesh.crash(7);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.count_gone(7) == mesh.up_count(); }, 15s).has_value());
    mesh.run_for(30s);  // what is still under way brings nobody back
    EXPECT_EQ(mesh.count_gone(7), mesh.up_count());
}

TEST_F(bad_network, one_hears_the_other_and_not_the_other_way_round) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}});
    ASSERT_TRUE(mesh.form(20, 2s, 60s));
    mesh.net().set_filter([](endpoint from, endpoint to) { return !(from == 3 && to == 4); });
    mesh.run_for(5min);
    EXPECT_EQ(mesh.false_deaths, 0U);
    EXPECT_TRUE(mesh.agrees());
}

TEST_F(bad_network, one_that_is_deaf_takes_nobody_with_it) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}});
    ASSERT_TRUE(mesh.form(40, 4s, 60s));
    constexpr endpoint deaf = 3;
    mesh.net().set_filter([](endpoint, endpoint to) { return to != deaf; });
    EXPECT_TRUE(mesh.run_until([&] { return mesh.count_gone(deaf) == mesh.up_count() - 1; }, 20s).has_value());
    mesh.run_for(1min);
    for (endpoint who = 0; who < mesh.size(); ++who) {
        EXPECT_TRUE(who == deaf || mesh.at(who).live_count() == mesh.size() - 2) << who;
    }
    mesh.net().set_filter({});
    EXPECT_TRUE(mesh.run_until([&] { return mesh.agrees(); }, healed_within).has_value());
}

// --- members that come, go and lie ---

class members : public with_seed {};

TEST_F(members, come_and_go_and_the_rest_agree) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}});
    ASSERT_TRUE(mesh.form(60, 6s, 60s));
    for (int i = 0; i < 150; ++i) {
        const auto who = static_cast<endpoint>(mesh.net().fraction() * static_cast<double>(mesh.size()));
        const double what = mesh.net().fraction();
        if (what < 0.2) {
            mesh.add();
        } else if (mesh.is_up(who) && what < 0.3) {
            mesh.leave(who);
            mesh.run_for(2s);
            mesh.crash(who);
        } else if (mesh.is_up(who) && what < 0.6) {
            mesh.crash(who);
        } else {
            mesh.restart(who, what < 0.8 ? membership_mesh::memory::kept : membership_mesh::memory::lost);
        }
        mesh.run_for(1s);
    }
    const auto settled = mesh.run_until([&] { return mesh.agrees(); }, 60s);
    ASSERT_TRUE(settled.has_value());
    std::printf("  150 joins, departures, crashes and restarts, one a second: %zu nodes agree %.1f s later\n",
                mesh.up_count(), seconds(*settled));
}

TEST_F(members, that_slept_come_back_and_blame_nobody) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}});
    ASSERT_TRUE(mesh.form(30, 3s, 60s));
    constexpr endpoint sleeper = 5;
    mesh.suspend(sleeper);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.count_gone(sleeper) == mesh.up_count() - 1; }, 15s).has_value());
    mesh.run_for(1h);
    mesh.false_deaths = 0;
    mesh.resume(sleeper);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.agrees(); }, 10s).has_value());
    mesh.run_for(1min);
    EXPECT_EQ(mesh.false_deaths, 0U);
}

TEST_F(members, that_lie_kill_nobody) {
    membership_mesh mesh({.seed = seed(), .air = {.loss = promised_loss}});
    ASSERT_TRUE(mesh.form(30, 3s, 60s));
    constexpr endpoint liar = 2;
    for (int i = 0; i < 300; ++i) {  // once in 200 ms: everybody is dead, says everybody else
        for (endpoint to = 0; to < mesh.size(); ++to) {
            membership::gossip lie;
            const auto victim = static_cast<endpoint>((to + static_cast<endpoint>(i)) % mesh.size());
            for (endpoint accuser = 0; accuser < 4; ++accuser) {
                lie.news.accusations.push_back({mesh.id_of(victim), mesh.at(victim).own().incarnation,
                                                membership::claim::dead, mesh.id_of((victim + 1 + accuser) % 30)});
                lie.news.accusations.push_back(
                    {mesh.id_of(victim), ~std::uint64_t{0}, membership::claim::dead, mesh.id_of(accuser)});
            }
            mesh.forge(liar, to, std::move(lie));
        }
        mesh.run_for(200ms);
    }
    EXPECT_LT(mesh.longest_false_death, 5s);
    EXPECT_TRUE(mesh.run_until([&] { return mesh.agrees(); }, 10s).has_value());
    EXPECT_LT(mesh.at(7).own().incarnation, 1000U);
    std::printf("  30 nodes and a liar for a minute: %llu false deaths, the longest of %.1f s\n",
                static_cast<unsigned long long>(mesh.false_deaths), seconds(mesh.longest_false_death));
}

}  // namespace
}  // namespace starling::sim
