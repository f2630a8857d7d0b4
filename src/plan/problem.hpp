// A model, machines and links, brought into the form that the search works on: sums instead of lists, indices instead
// of ids. Internal to plan.
//
// A "unit" is the run of layers between two neighbouring cuts; unit u is the layers from cut u up to cut u + 1, where
// cut 0 is the start of the model and cut `units()` its end. Memory and time of a stage are differences of running
// sums.
#pragma once

#include "plan/plan.hpp"
#include "plan/timing.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace starling::plan {

enum class stage_kind { first, middle, last, whole };

inline constexpr stage_kind kind_of(std::size_t position, std::size_t stages) {
    return stages == 1              ? stage_kind::whole
           : position == 0          ? stage_kind::first
           : position + 1 == stages ? stage_kind::last
                                    : stage_kind::middle;
}

/// Sums of sizes that others told us never wrap around.
std::uint64_t add_saturated(std::uint64_t a, std::uint64_t b);
std::uint64_t multiply_saturated(std::uint64_t a, std::uint64_t b);

struct unit_range {
    std::size_t first = 0;
    std::size_t end = 0;
    bool operator==(const unit_range&) const = default;
};

struct participant {
    machine what;
    std::uint64_t usable = 0;
    double ms_per_byte = 0.0;  // of weights read
    double overhead_ms = 0.0;
    std::optional<unit_range> loaded;  // in the previous plan, where its cuts are still legal
    /// Extra time for each byte read that a choice of this machine counts as, though it is not predicted: the file has
    /// to be fetched first.
    double reluctance_ms_per_byte = 0.0;
};

class problem {
  public:
    /// `machines`: distinct ids; they are sorted by id, so that their order in the call makes no difference.
    problem(const model_shape& model, std::vector<machine> machines, const network& links, const wish& what);

    std::size_t units() const { return cut_layer_.size() - 1; }
    std::span<const participant> nodes() const { return nodes_; }
    std::int64_t streams() const { return streams_; }
    double batch_share() const { return batch_share_; }
    std::optional<std::size_t> preferred() const { return preferred_; }  // coordinator

    layer_range layers(unit_range units) const { return {cut_layer_[units.first], cut_layer_[units.end]}; }
    std::optional<unit_range> units_of(layer_range layers) const;

    std::uint64_t fixed_bytes(stage_kind kind) const { return fixed_[static_cast<std::size_t>(kind)]; }
    std::uint64_t bytes(unit_range units) const { return memory_[units.end] - memory_[units.first]; }
    bool fits(std::size_t node, unit_range units, stage_kind kind) const;
    /// The furthest cut up to which `node` can take layers that begin at cut `from`; `from` when not even one.
    std::size_t reach(std::size_t node, std::size_t from, stage_kind kind) const;

    double read_bytes(unit_range units) const { return read_[units.end] - read_[units.first]; }
    double read_before(std::size_t cut) const { return read_[cut]; }
    double head_bytes() const { return head_bytes_; }  // read by the last stage besides its layers

    double one_way_ms(std::size_t from, std::size_t to) const { return links_[from * nodes_.size() + to].latency_ms; }
    /// What one sequence's hidden state adds to a trip.
    double sequence_ms(std::size_t from, std::size_t to) const { return links_[from * nodes_.size() + to].sequence_ms; }

    /// The times of the chain of these machines, the coordinator last; without `ranges`, no time for layers but the
    /// head.
    chain_time time_of(std::span<const std::size_t> order, std::span<const unit_range> ranges) const;

  private:
    struct hop {
        double latency_ms = 0.0;
        double sequence_ms = 0.0;
    };

    void add_machines(const model_shape& model, std::vector<machine> machines, const wish& what);

    std::vector<std::int32_t> cut_layer_;  // 0, the legal cuts, number of layers
    std::vector<std::uint64_t> memory_;    // of the layers before each cut, weights and KV
    std::vector<double> read_;             // bytes read for one token before each cut
    double head_bytes_ = 0.0;
    std::uint64_t fixed_[4] = {};
    std::vector<participant> nodes_;
    std::vector<hop> links_;
    std::int64_t streams_ = 1;
    double batch_share_ = 0.0;
    std::optional<std::size_t> preferred_;
};

}  // namespace starling::plan
