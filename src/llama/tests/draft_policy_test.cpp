#include "llama/draft_policy.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace starling::llama {
namespace {

/// A pipeline and a draft as they are in truth, which the policy can only measure.
struct world {
    double base_s = 0.0;
    double per_token_s = 0.0;
    double draft_step_s = 0.0;
    double acceptance = 0.0;
    double jitter = 0.0;  // passes take up to this share longer or shorter
    std::size_t streams = 1;

    double pass_s(std::int32_t width) const { return base_s + per_token_s * width; }
};

struct outcome {
    double seconds = 0.0;
    double tokens = 0.0;
    std::int32_t last_tokens = 0;

    double rate() const { return tokens / seconds; }
};

/// Streams that are answered for `passes` passes, with proposals accepted at random.
class simulation {
  public:
    explicit simulation(std::size_t streams, std::int32_t most = max_draft_tokens)
        : policy_(most, static_cast<std::int32_t>(streams)) {
        for (std::size_t i = 0; i < streams; ++i) {
            policy_.begin(static_cast<sequence_id>(i));
        }
    }

    outcome run(const world& world, std::int32_t passes) {
        outcome out;
        for (std::int32_t i = 0; i < passes; ++i) {
            pass(world, out);
        }
        return out;
    }

    draft_policy& policy() { return policy_; }

  private:
    double chance() { return uniform_draw(7, drawn_++); }

    void pass(const world& world, outcome& out) {
        std::vector<draft_stream> streams;
        for (std::size_t i = 0; i < world.streams; ++i) {
            streams.push_back({.sequence = static_cast<sequence_id>(i), .limit = 1000});
        }
        const auto [k, probe, floor] = policy_.choose({.streams = streams});
        std::vector<draft_outcome> outcomes;
        for (const draft_stream& stream : streams) {
            std::int32_t accepted = 0;
            while (accepted < k && chance() < world.acceptance) {
                ++accepted;
            }
            outcomes.push_back({.sequence = stream.sequence, .proposed = k, .accepted = accepted, .stopped = false});
            out.tokens += accepted + 1;
        }
        const std::int32_t width = static_cast<std::int32_t>(world.streams) * (k + 1);
        const double pass_s = world.pass_s(width) * (1.0 + world.jitter * (2.0 * chance() - 1.0));
        const double draft_s = world.draft_step_s * k;
        policy_.learn({.streams = outcomes,
                       .width = width,
                       .pass_s = pass_s,
                       .catch_up_s = 0.0,
                       .draft_s = draft_s,
                       .draft_steps = k,
                       .probe = probe});
        out.seconds += pass_s + draft_s;
        out.last_tokens = k;
    }

    draft_policy policy_;
    std::uint64_t drawn_ = 0;
};

/// Tokens per second in the long run when k is the same for ever.
double rate_with(const world& world, std::int32_t k) {
    double tokens = 0.0;
    for (std::int32_t i = 0; i <= k; ++i) {
        tokens += std::pow(world.acceptance, i);
    }
    const auto streams = static_cast<std::int32_t>(world.streams);
    return streams * tokens / (world.pass_s(streams * (k + 1)) + k * world.draft_step_s);
}

double best_rate(const world& world, std::int32_t most) {
    double best = 0.0;
    for (std::int32_t k = 0; k <= most; ++k) {
        best = std::max(best, rate_with(world, k));
    }
    return best;
}

std::string describe(const world& world) {
    return "base " + std::to_string(world.base_s * 1e3) + " ms, per token " + std::to_string(world.per_token_s * 1e3) +
           " ms, draft " + std::to_string(world.draft_step_s * 1e3) + " ms, acceptance " +
           std::to_string(world.acceptance) + ", streams " + std::to_string(world.streams);
}

std::vector<world> worlds() {
    std::vector<world> all;
    for (const double base_ms : {0.5, 5.0, 15.0, 30.0, 60.0}) {
        for (const double per_token_ms : {0.05, 0.5, 2.0}) {
            for (const double draft_ms : {0.3, 2.0}) {
                for (const double acceptance : {0.0, 0.2, 0.5, 0.7, 0.9, 1.0}) {
                    for (const std::size_t streams : {std::size_t{1}, std::size_t{3}, std::size_t{8}}) {
                        all.push_back({base_ms / 1e3, per_token_ms / 1e3, draft_ms / 1e3, acceptance, 0.1, streams});
                    }
                }
            }
        }
    }
    return all;
}

TEST(DraftPolicy, IsNeverMuchWorseThanNoDraft) {
    for (const world& world : worlds()) {
        simulation simulation(world.streams);
        const double rate = simulation.run(world, 2000).rate();
        EXPECT_GT(rate, 0.97 * rate_with(world, 0)) << describe(world);
    }
}

TEST(DraftPolicy, IsNearTheOptimumWhereADraftWins) {
    int won = 0;
    for (const world& world : worlds()) {
        const std::int32_t most =
            std::min(max_draft_tokens, max_verified_tokens / static_cast<std::int32_t>(world.streams) - 1);
        const double best = best_rate(world, most);
        if (best < 1.15 * rate_with(world, 0)) {
            continue;  // hardly worth having, and off is right too
        }
        ++won;
        simulation simulation(world.streams);
        EXPECT_GT(simulation.run(world, 2000).rate(), 0.9 * best) << describe(world);
    }
    EXPECT_GT(won, 100);
}

TEST(DraftPolicy, ARoundTripOfTwentyMillisecondsIsWorthALongDraft) {
    const world far{.base_s = 0.034, .per_token_s = 0.0002, .draft_step_s = 0.0004, .acceptance = 0.7};
    simulation simulation(1);
    const outcome answer = simulation.run(far, 500);
    EXPECT_GT(answer.rate(), 2.5 * rate_with(far, 0));
    EXPECT_GE(answer.last_tokens, 5);
}

TEST(DraftPolicy, TheFirstHundredTokensLoseLittle) {
    const world bad{.base_s = 0.002, .per_token_s = 0.002, .draft_step_s = 0.002, .acceptance = 0.1};
    simulation simulation(1);
    outcome answer = simulation.run(bad, 100);
    const double lost_passes = answer.seconds / bad.pass_s(1) - answer.tokens;
    EXPECT_LT(lost_passes, 15.0);
    EXPECT_EQ(answer.last_tokens, 0);
}

TEST(DraftPolicy, ComesBackWhenTheTextBecomesEasyAgain) {
    world world{.base_s = 0.01, .per_token_s = 0.001, .draft_step_s = 0.001, .acceptance = 0.05};
    simulation simulation(1);
    EXPECT_EQ(simulation.run(world, 300).last_tokens, 0);
    world.acceptance = 0.9;
    EXPECT_GT(simulation.run(world, 600).tokens, 900.0);
    EXPECT_GT(simulation.run(world, 300).rate(), 0.85 * best_rate(world, max_draft_tokens));
}

TEST(DraftPolicy, FollowsALinkThatBecomesSlow) {
    world world{.base_s = 0.002, .per_token_s = 0.001, .draft_step_s = 0.0015, .acceptance = 0.6};
    simulation simulation(1);
    simulation.run(world, 300);
    world.base_s = 0.05;
    simulation.run(world, 300);
    EXPECT_GT(simulation.run(world, 300).rate(), 0.9 * best_rate(world, max_draft_tokens));
}

// Text that is easy exactly where nothing is drafted: every estimate says that a draft will win, and none does.
TEST(DraftPolicy, LosesLittleEvenWhereItsEstimatesAreWrong) {
    for (const double base_s : {0.001, 0.01, 0.04}) {
        for (const double per_token_s : {0.0002, 0.002}) {
            const world world{.base_s = base_s, .per_token_s = per_token_s, .draft_step_s = 0.003};
            draft_policy policy(max_draft_tokens, 1);
            policy.begin(0);
            const std::vector<draft_stream> one{{.sequence = 0, .limit = 1000}};
            double seconds = 0.0;
            double tokens = 0.0;
            for (int i = 0; i < 3000; ++i) {
                const auto [k, probe, floor] = policy.choose({.streams = one});
                const std::vector<draft_outcome> rejected{
                    {.sequence = 0, .proposed = k, .accepted = 0, .stopped = false}};
                const double pass_s = world.pass_s(k + 1);
                const double draft_s = k * world.draft_step_s;
                policy.learn({.streams = rejected,
                              .width = k + 1,
                              .pass_s = pass_s,
                              .catch_up_s = 0.0,
                              .draft_s = draft_s,
                              .draft_steps = k,
                              .probe = probe});
                seconds += pass_s + draft_s;
                tokens += 1.0;
                policy.begin(0);
                if (i % 4 == 0) {  // other streams were lucky
                    const std::vector<draft_outcome> lucky{
                        {.sequence = 0, .proposed = 8, .accepted = 8, .stopped = false}};
                    policy.learn_acceptance(lucky);
                }
            }
            EXPECT_GT(tokens / seconds, 0.97 / world.pass_s(1)) << describe(world);
        }
    }
}

TEST(DraftPolicy, AStallIsNotBlamedOnTheDraft) {
    const world world{.base_s = 0.02, .per_token_s = 0.0005, .draft_step_s = 0.0005, .acceptance = 0.8};
    simulation simulation(1);
    simulation.run(world, 100);
    const std::vector<draft_outcome> stalled{{.sequence = 0, .proposed = 6, .accepted = 6, .stopped = false}};
    simulation.policy().learn(
        {.streams = stalled, .width = 7, .pass_s = 3.0, .catch_up_s = 0.0, .draft_s = 0.003, .draft_steps = 6});
    EXPECT_GT(simulation.run(world, 20).rate(), 0.8 * best_rate(world, max_draft_tokens));
}

TEST(DraftPolicy, IsDeterministic) {
    const world world{.base_s = 0.01, .per_token_s = 0.002, .draft_step_s = 0.001, .acceptance = 0.6, .jitter = 0.3};
    simulation a(1);
    simulation b(1);
    const outcome first = a.run(world, 700);
    const outcome second = b.run(world, 700);
    EXPECT_EQ(first.seconds, second.seconds);
    EXPECT_EQ(first.tokens, second.tokens);
}

TEST(DraftPolicy, StepsStayNarrow) {
    for (const std::int32_t streams : {1, 2, 3, 5, 11, 16, 17, 40}) {
        simulation simulation(static_cast<std::size_t>(streams), 99);
        const world world{.base_s = 1.0,
                          .per_token_s = 0.0,
                          .draft_step_s = 1e-6,
                          .acceptance = 1.0,
                          .streams = static_cast<std::size_t>(streams)};
        const std::int32_t k = simulation.run(world, 50).last_tokens;
        EXPECT_LE(k, max_draft_tokens);
        EXPECT_LE(streams * (k + 1), std::max(streams, max_verified_tokens));
        EXPECT_EQ(k > 0, streams <= max_verified_tokens / 2) << streams;
    }
}

TEST(DraftPolicy, NothingIsProposedBeyondTheEndOfTheAnswer) {
    const world world{.base_s = 0.05, .per_token_s = 0.0001, .draft_step_s = 0.0001, .acceptance = 0.95};
    simulation simulation(1);
    ASSERT_GT(simulation.run(world, 100).last_tokens, 4);
    const std::vector<draft_stream> ends{{.sequence = 0, .limit = 2}};
    EXPECT_EQ(simulation.policy().choose({.streams = ends}).tokens, 2);
    const std::vector<draft_stream> last{{.sequence = 0, .limit = 0}};
    EXPECT_EQ(simulation.policy().choose({.streams = last}).tokens, 0);
    EXPECT_EQ(simulation.policy().choose({}).tokens, 0);
}

TEST(DraftPolicy, ALongPromptIsNotReadForAFewTokens) {
    const world world{.base_s = 0.05, .per_token_s = 0.0001, .draft_step_s = 0.0001, .acceptance = 0.9};
    simulation simulation(1);
    ASSERT_GT(simulation.run(world, 100).last_tokens, 4);
    const std::vector<draft_stream> few{{.sequence = 0, .limit = 5}};
    const std::vector<draft_stream> many{{.sequence = 0, .limit = 1000}};
    EXPECT_EQ(simulation.policy().choose({.streams = few, .catch_up_s = 1.0}).tokens, 0);
    EXPECT_GT(simulation.policy().choose({.streams = many, .catch_up_s = 1.0}).tokens, 0);
    EXPECT_EQ(simulation.policy().choose({.streams = many, .catch_up_s = 100.0}).tokens, 0);
}

TEST(DraftPolicy, OffIsOff) {
    simulation simulation(1, 0);
    const world world{.base_s = 0.05, .per_token_s = 0.0001, .draft_step_s = 0.0001, .acceptance = 1.0};
    EXPECT_EQ(simulation.run(world, 200).tokens, 200.0);
}

TEST(DraftPolicy, ADearDraftStopsSoonerThanACheapOne) {
    world world{.base_s = 0.03, .per_token_s = 0.0001, .draft_step_s = 0.0003, .acceptance = 0.8};
    const std::vector<draft_stream> one{{.sequence = 0, .limit = 1000}};
    simulation cheap(1);
    cheap.run(world, 200);
    world.draft_step_s = 0.003;
    simulation dear(1);
    dear.run(world, 200);
    const double low = cheap.policy().choose({.streams = one}).floor;
    const double high = dear.policy().choose({.streams = one}).floor;
    EXPECT_GT(low, 0.0);
    EXPECT_GT(high, 3.0 * low);
    EXPECT_LE(high, 0.5);
}

TEST(PassTime, IsALineThroughWhatWasMeasured) {
    pass_time time;
    EXPECT_FALSE(time.known());
    for (int i = 0; i < 40; ++i) {
        const double width = 1 + i % 5;
        time.learn(width, 0.01 + 0.002 * width);
    }
    EXPECT_NEAR(time.seconds(1), 0.012, 0.0003);
    EXPECT_NEAR(time.seconds(9), 0.028, 0.001);
    for (int i = 0; i < 300; ++i) {
        time.learn(5, 0.058);  // a link became slower, and nothing new is known about the slope
    }
    EXPECT_NEAR(time.seconds(1), 0.05, 0.001);
    EXPECT_NEAR(time.per_token(), 0.002, 0.0003);
}

TEST(AcceptanceEstimate, BeginsWithThePriorAndForgetsIt) {
    acceptance_estimate estimate(0.7, 4.0, 20.0);
    EXPECT_DOUBLE_EQ(estimate.value(), 0.7);
    for (int i = 0; i < 200; ++i) {
        estimate.learn(false);
    }
    EXPECT_LT(estimate.value(), 0.02);
    for (int i = 0; i < 200; ++i) {
        estimate.learn(true);
    }
    EXPECT_GT(estimate.value(), 0.98);
}

}  // namespace
}  // namespace starling::llama
