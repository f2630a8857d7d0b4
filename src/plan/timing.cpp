#include "plan/timing.hpp"

#include <algorithm>

namespace starling::plan {

double chain_time::compute_ms() const {
    double sum = 0.0;
    for (const stage_time& one : stages) {
        sum += one.layers_ms + one.overhead_ms;
    }
    return sum;
}

double chain_time::cycle_ms(std::int64_t sequences) const {
    const auto width = static_cast<double>(sequences);
    double sum = latency_ms + width * sequence_ms;
    for (const stage_time& one : stages) {
        sum += one.overhead_ms + one.layers_ms * (1.0 + batch_share * (width - 1.0));
    }
    return sum;
}

double chain_time::period_ms(std::int64_t streams, std::int64_t groups) const {
    const auto all = static_cast<double>(streams);
    const auto parts = static_cast<double>(groups);
    // A stage serves the groups one after the other; together they bring every stream once.
    double busiest = all * slowest_sequence_ms;
    for (const stage_time& one : stages) {
        const double each = one.layers_ms * (parts + batch_share * (all - parts));
        busiest = std::max(busiest, parts * one.overhead_ms + each);
    }
    return std::max(busiest, cycle_ms((streams + groups - 1) / groups));
}

std::int64_t chain_time::best_groups(std::int64_t streams) const {
    std::int64_t best = 1;
    double least = period_ms(streams, 1);
    for (std::int64_t groups = 2; groups <= std::min(streams, max_groups); ++groups) {
        const double period = period_ms(streams, groups);
        if (period < least * (1.0 - 1e-9)) {
            best = groups;
            least = period;
        }
    }
    return best;
}

}  // namespace starling::plan
