#include "plan/order.hpp"

#include <algorithm>

namespace starling::plan {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr int max_bisections = 14;
constexpr double close_enough = 1e-3;     // of a period: measured times are not that exact
constexpr double strictly_better = 1e-9;  // so that rounding does not make two equal plans differ

}  // namespace

double order_solver::coordinator_factor(std::size_t coordinator) const {
    return problem_.preferred() && *problem_.preferred() != coordinator ? coordinator_gain : 1.0;
}

void order_solver::extend(std::span<const std::size_t> order, std::size_t at, const weights& with) {
    const std::size_t units = problem_.units();
    const bool last = at + 1 == order.size();
    const participant& node = problem_.nodes()[order[at]];
    const stage_kind kind = kind_of(at, order.size());
    double* cost = &cost_[at * (units + 1)];
    std::uint32_t* begin = &begin_[at * (units + 1)];
    std::fill(cost, cost + units + 1, infinite);
    const double head_ms = last ? problem_.head_bytes() * node.ms_per_byte : 0.0;
    const double limit_ms = (with.limit_ms - with.overhead_factor * node.overhead_ms) / with.busy_factor - head_ms;
    const auto allowed = [&](unit_range range) {
        return problem_.fits(order[at], range, kind) && problem_.read_bytes(range) * node.ms_per_byte <= limit_ms;
    };
    const double per_byte = node.ms_per_byte + node.reluctance_ms_per_byte + wanted_.move_ms_per_byte;
    const auto before = [&](std::size_t cut) {
        return at == 0 ? (cut == 0 ? 0.0 : infinite) : cost_[(at - 1) * (units + 1) + cut];
    };
    const auto key = [&](std::size_t cut) { return before(cut) - per_byte * problem_.read_before(cut); };

    std::size_t front = 0;
    std::size_t back = 0;
    std::size_t lowest = 0;
    const std::size_t furthest = units - (order.size() - 1 - at);  // one unit at least for each stage that follows
    for (std::size_t end = 1; end <= furthest; ++end) {
        const std::size_t newest = end - 1;
        if (before(newest) < infinite) {
            while (back > front && key(window_[back - 1]) >= key(newest)) {
                --back;
            }
            window_[back++] = static_cast<std::uint32_t>(newest);
        }
        while (lowest < end && !allowed({lowest, end})) {
            ++lowest;
        }
        while (front < back && window_[front] < lowest) {
            ++front;
        }
        if (front < back && (!last || end == units)) {
            begin[end] = window_[front];
            cost[end] = key(window_[front]) + per_byte * problem_.read_before(end);
        }
    }
    // A range that is loaded costs no move.
    if (node.loaded && node.loaded->end <= furthest && allowed(*node.loaded)) {
        const double kept = before(node.loaded->first) + node.ms_per_byte * problem_.read_bytes(*node.loaded);
        if (kept < cost[node.loaded->end]) {
            cost[node.loaded->end] = kept;
            begin[node.loaded->end] = static_cast<std::uint32_t>(node.loaded->first);
        }
    }
}

bool order_solver::cut(std::span<const std::size_t> order, const weights& with) {
    ++solved_;
    const std::size_t row = problem_.units() + 1;
    cost_.resize(order.size() * row);
    begin_.resize(order.size() * row);
    window_.resize(row);
    for (std::size_t at = 0; at < order.size(); ++at) {
        extend(order, at, with);
    }
    return cost_[order.size() * row - 1] < infinite;
}

std::vector<unit_range> order_solver::read_back(std::size_t stages) const {
    const std::size_t row = problem_.units() + 1;
    std::vector<unit_range> out(stages);
    std::size_t end = problem_.units();
    for (std::size_t at = stages; at-- > 0;) {
        out[at] = {.first = begin_[at * row + end], .end = end};
        end = out[at].first;
    }
    return out;
}

cut_chain order_solver::judge(std::span<const std::size_t> order, std::vector<unit_range> ranges) const {
    cut_chain out;
    const chain_time time = problem_.time_of(order, ranges);
    out.period_ms = time.period_ms(problem_.streams(), time.best_groups(problem_.streams()));
    double besides = 0.0;
    for (std::size_t at = 0; at < order.size(); ++at) {
        const participant& node = problem_.nodes()[order[at]];
        if (node.loaded != ranges[at]) {
            besides += problem_.read_bytes(ranges[at]) * (node.reluctance_ms_per_byte + wanted_.move_ms_per_byte);
        }
    }
    out.score = out.period_ms * coordinator_factor(order.back()) + besides;
    out.order.assign(order.begin(), order.end());
    out.ranges = std::move(ranges);
    return out;
}

std::optional<cut_chain> order_solver::solve(std::span<const std::size_t> order, double to_beat) {
    if (order.empty() || order.size() > problem_.units()) {
        return std::nullopt;
    }
    const chain_time base = problem_.time_of(order, {});
    const double factor = coordinator_factor(order.back());
    const auto streams = problem_.streams();
    if (base.cycle_ms(1) * factor >= to_beat || !cut(order, {})) {
        return std::nullopt;
    }
    const double least_sum = cost_[order.size() * (problem_.units() + 1) - 1];
    std::optional<cut_chain> best;
    const auto consider = [&](cut_chain found) {
        if (found.score < to_beat * (1.0 - strictly_better)) {
            to_beat = found.score;
            best = std::move(found);
        }
    };
    consider(judge(order, read_back(order.size())));
    for (std::int64_t groups = 1; groups <= std::min(streams, max_groups); ++groups) {
        const auto width = (streams + groups - 1) / groups;
        const auto parts = static_cast<double>(groups);
        const weights shape{.sum_factor = 1.0 + base.batch_share * static_cast<double>(width - 1),
                            .busy_factor = parts + base.batch_share * static_cast<double>(streams - groups),
                            .overhead_factor = parts};
        // Nothing but the sum limits the period from below, and costs besides time are never negative.
        double low = base.cycle_ms(width) + least_sum;
        double high = to_beat / factor;
        for (int i = 0; i < max_bisections && high - low > close_enough * high; ++i) {
            weights tried = shape;
            // First at what is to be beaten: most orders fail there and are done.
            tried.limit_ms = i == 0 ? high : (low + high) / 2.0;
            if (!cut(order, tried)) {
                low = tried.limit_ms;
                if (i == 0) break;
                continue;
            }
            auto ranges = read_back(order.size());
            const double cycle = problem_.time_of(order, ranges).cycle_ms(width);
            consider(judge(order, std::move(ranges)));
            if (cycle > tried.limit_ms) {
                low = tried.limit_ms;
                if (i == 0) break;
            } else {
                high = std::min(tried.limit_ms, to_beat / factor);
            }
        }
    }
    return best;
}

}  // namespace starling::plan
