#include "plan/level.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace starling::plan {

namespace {

/// The times of the stages, the longest first: what is compared.
std::vector<double> times(const problem& of, const cut_chain& chain) {
    std::vector<double> out;
    for (const stage_time& one : of.time_of(chain.order, chain.ranges).stages) {
        out.push_back(one.layers_ms + one.overhead_ms);
    }
    std::sort(out.rbegin(), out.rend());
    return out;
}

bool fits(const problem& of, const cut_chain& chain) {
    for (std::size_t at = 0; at < chain.order.size(); ++at) {
        if (!of.fits(chain.order[at], chain.ranges[at], kind_of(at, chain.order.size()))) {
            return false;
        }
    }
    return true;
}

}  // namespace

cut_chain level(const problem& of, cut_chain chain) {
    const order_solver solver(of, {});
    const double most = chain.score * level_cost;
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t at = 1; at < chain.ranges.size(); ++at) {
            for (const bool forward : {true, false}) {
                auto ranges = chain.ranges;
                unit_range& shrinking = forward ? ranges[at] : ranges[at - 1];
                if (shrinking.end - shrinking.first < 2) {
                    continue;
                }
                const std::size_t cut = forward ? ranges[at].first + 1 : ranges[at].first - 1;
                ranges[at - 1].end = cut;
                ranges[at].first = cut;
                cut_chain tried = solver.judge(chain.order, std::move(ranges));
                // Lexicographically less: it ends, since there are finitely many cuts.
                if (tried.score <= most && fits(of, tried) && times(of, tried) < times(of, chain)) {
                    chain = std::move(tried);
                    moved = true;
                }
            }
        }
    }
    return chain;
}

}  // namespace starling::plan
