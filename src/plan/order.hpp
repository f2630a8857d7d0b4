// The best cuts for machines whose order is given: exact dynamic programming. Internal to plan.
//
// For a limit T on the time that each stage is busy in one round, the least sum of stage times is found in
// O(stages x units): cost of a stage is a difference of running sums, so the best beginning of a stage is a minimum
// over a window that only moves forward. The period max(T, latency + least sum) then has its minimum where the two
// meet, which a bisection over T finds.
#pragma once

#include "plan/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace starling::plan {

/// What a search wants besides speed.
struct objective {
    /// Milliseconds for each byte read in a stage that is not loaded as it is; far above any real time, where what is
    /// loaded has to stay.
    double move_ms_per_byte = 0.0;
};

struct cut_chain {
    std::vector<std::size_t> order;  // machines; the coordinator last
    std::vector<unit_range> ranges;
    double period_ms = 0.0;                                  // of `streams` streams in the best number of groups
    double score = std::numeric_limits<double>::infinity();  // period with everything else that counts; less is better
};

class order_solver {
  public:
    explicit order_solver(const problem& of, objective wanted) : problem_(of), wanted_(wanted) {}

    /// Nothing when these machines in this order cannot hold the model, each with at least one unit, or when it would
    /// score no better than `to_beat`.
    std::optional<cut_chain> solve(std::span<const std::size_t> order,
                                   double to_beat = std::numeric_limits<double>::infinity());

    /// Period and score of ranges that are given.
    cut_chain judge(std::span<const std::size_t> order, std::vector<unit_range> ranges) const;

    std::uint64_t solved() const { return solved_; }  // how often the dynamic programme ran

  private:
    struct weights {
        double sum_factor = 1.0;       // of the layers' time in the cycle
        double busy_factor = 1.0;      // of the layers' time while a stage is busy in a round
        double overhead_factor = 1.0;  // of the overhead in the same
        double limit_ms = std::numeric_limits<double>::infinity();  // T
    };

    bool cut(std::span<const std::size_t> order, const weights& with);
    void extend(std::span<const std::size_t> order, std::size_t at, const weights& with);
    std::vector<unit_range> read_back(std::size_t stages) const;
    double coordinator_factor(std::size_t coordinator) const;

    const problem& problem_;
    objective wanted_;
    std::uint64_t solved_ = 0;
    // [stage][cut]: least cost of covering everything before the cut, and where the stage begins then.
    std::vector<double> cost_;
    std::vector<std::uint32_t> begin_;
    std::vector<std::uint32_t> window_;
};

}  // namespace starling::plan
