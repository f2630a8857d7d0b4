// plan_bench CLUSTERS SEED: three planners on clusters drawn from seeds, judged by the simulator; one JSON object a
// line.
#include "clusters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace starling::sim {
namespace {

constexpr double jitter = 0.1;  // machines and networks are not metronomes

struct judged {
    double one = 0.0;  // tokens per second of a single stream
    double all = 0.0;  // with every slot busy
};

/// `groups` 0: as many as turn out best, which flatters whoever does not say.
judged judge(const cluster& of, const split& stages, std::uint64_t groups) {
    const chain ring = chain_of(of, stages);
    const auto slots = static_cast<std::uint64_t>(of.wish.slots);
    judged out;
    out.one = simulate(ring, {.jitter = jitter, .seed = of.seed}).tokens_per_s;
    for (std::uint64_t g = groups == 0 ? 1 : groups; g <= (groups == 0 ? slots : groups); ++g) {
        out.all = std::max(
            out.all, simulate(ring, {.streams = slots, .groups = g, .jitter = jitter, .seed = of.seed}).tokens_per_s);
    }
    return out;
}

std::string shown(const std::optional<split>& stages, const judged& how) {
    return stages ? fmt::format(R"({{"stages":{},"one":{:.5g},"all":{:.5g}}})", stages->size(), how.one, how.all)
                  : "null";
}

std::string shown_rival(const cluster& of, const std::optional<split>& stages) {
    return shown(stages, stages ? judge(of, *stages, 0) : judged{});
}

void run(const char* kind, const cluster& of) {
    const std::clock_t begun = std::clock();  // of the processor: others may be at work on this machine
    const auto plan = plan::make_plan(of.model, of.machines, of.links, of.wish);
    const double took_ms = 1000.0 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    std::string ours = "null";
    if (plan) {
        const split stages = split_of(*plan);
        const judged how = judge(of, stages, plan->groups);
        ours = fits(of, stages) ? fmt::format(R"({{"stages":{},"one":{:.5g},"all":{:.5g},"predicted_one":{:.5g},)"
                                              R"("predicted_all":{:.5g},"groups":{}}})",
                                              stages.size(), how.one, how.all, plan->tokens_per_s,
                                              plan->total_tokens_per_s, plan->groups)
                                : R"({"broken":true})";
    }
    fmt::print(R"({{"seed":{},"kind":"{}","machines":{},"model":"{}","feasible":{},"plan_ms":{:.3f},"ours":{},)"
               R"("memory":{},"speed":{}}})"
               "\n",
               of.seed, kind, of.machines.size(), of.model.name, anything_fits(of), took_ms, ours,
               shown_rival(of, by_memory(of)), shown_rival(of, by_speed(of)));
}

}  // namespace
}  // namespace starling::sim

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: plan_bench CLUSTERS SEED\n", stderr);
        return 2;
    }
    const auto clusters = std::strtoull(argv[1], nullptr, 10);
    const auto seed = std::strtoull(argv[2], nullptr, 10);
    for (std::uint64_t i = 0; i < clusters; ++i) {
        using namespace starling::sim;
        run("usual", draw_cluster(seed * 100'000 + i, 2, 16));
        run("split", draw_cluster(seed * 100'000 + 50'000 + i, 2, 16, model_size::beyond_each));
        run("awkward", draw_awkward_cluster(seed * 100'000 + i, 2, 16));
    }
    return 0;
}
