#include "plan/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace starling::plan {

namespace {

/// A machine without the file counts as this much slower: fetching takes minutes, once.
constexpr double fetch_reluctance = 0.25;

bool usable_number(double value) {
    return std::isfinite(value) && value > 0.0;
}

std::uint64_t layer_memory(const layer_shape& layer, const wish& what) {
    const auto positions =
        multiply_saturated(static_cast<std::uint64_t>(what.context), static_cast<std::uint64_t>(what.slots));
    return add_saturated(layer.weight_bytes, add_saturated(multiply_saturated(layer.kv_bytes_per_position, positions),
                                                           multiply_saturated(layer.state_bytes_per_sequence,
                                                                              static_cast<std::uint64_t>(what.slots))));
}

double layer_read(const layer_shape& layer) {
    return static_cast<double>(layer.read_bytes > 0 ? layer.read_bytes : layer.weight_bytes);
}

/// Milliseconds for each byte of weights; nothing when the machine was never measured.
std::optional<double> measured_ms_per_byte(const machine& one, double mean_layer_bytes) {
    if (one.measured_layer_ms && usable_number(*one.measured_layer_ms) && mean_layer_bytes > 0.0) {
        return *one.measured_layer_ms / mean_layer_bytes;
    }
    if (usable_number(one.read_bytes_per_s)) {
        return 1000.0 / one.read_bytes_per_s;
    }
    return std::nullopt;
}

}  // namespace

std::uint64_t add_saturated(std::uint64_t a, std::uint64_t b) {
    return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

std::uint64_t multiply_saturated(std::uint64_t a, std::uint64_t b) {
    return a != 0 && b > std::numeric_limits<std::uint64_t>::max() / a ? std::numeric_limits<std::uint64_t>::max()
                                                                       : a * b;
}

problem::problem(const model_shape& model, std::vector<machine> machines, const network& links, const wish& what) {
    cut_layer_.push_back(0);
    cut_layer_.insert(cut_layer_.end(), model.cuts.begin(), model.cuts.end());
    cut_layer_.push_back(static_cast<std::int32_t>(model.layers.size()));
    memory_.push_back(0);
    read_.push_back(0.0);
    for (std::size_t cut = 1; cut < cut_layer_.size(); ++cut) {
        std::uint64_t memory = memory_.back();
        double read = read_.back();
        for (auto layer = cut_layer_[cut - 1]; layer < cut_layer_[cut]; ++layer) {
            const layer_shape& one = model.layers[static_cast<std::size_t>(layer)];
            memory = add_saturated(memory, layer_memory(one, what));
            read += layer_read(one);
        }
        memory_.push_back(memory);
        read_.push_back(read);
    }
    head_bytes_ = static_cast<double>(model.last_bytes);
    const auto fixed = [&](stage_kind kind, std::uint64_t own, std::uint64_t compute) {
        fixed_[static_cast<std::size_t>(kind)] = add_saturated(add_saturated(own, model.every_bytes), compute);
    };
    fixed(stage_kind::first, model.first_bytes, model.compute.first);
    fixed(stage_kind::middle, 0, model.compute.middle);
    fixed(stage_kind::last, model.last_bytes, model.compute.last);
    fixed(stage_kind::whole, add_saturated(model.first_bytes, model.last_bytes) - model.shared_bytes,
          model.compute.whole);
    streams_ = what.streams > 0 ? std::min(what.streams, what.slots) : (what.slots + 1) / 2;
    batch_share_ = std::isfinite(what.batch_share) ? std::clamp(what.batch_share, 0.0, 1.0) : assumed_batch_share;
    add_machines(model, std::move(machines), what);

    const double state_bytes = static_cast<double>(model.embedding_length) * model.bytes_per_activation;
    links_.resize(nodes_.size() * nodes_.size());
    for (std::size_t from = 0; from < nodes_.size(); ++from) {
        for (std::size_t to = 0; to < nodes_.size(); ++to) {
            const link between = links.between(nodes_[from].what.id, nodes_[to].what.id);
            links_[from * nodes_.size() + to] = {
                .latency_ms = between.round_trip_ms / 2.0,
                .sequence_ms = usable_number(between.bytes_per_s) ? state_bytes / between.bytes_per_s * 1000.0 : 0.0};
        }
    }
}

void problem::add_machines(const model_shape& model, std::vector<machine> machines, const wish& what) {
    std::sort(machines.begin(), machines.end(), [](const machine& a, const machine& b) { return a.id < b.id; });
    const double mean_layer_bytes = read_.back() / static_cast<double>(model.layers.size());
    double known = 0.0;
    int count = 0;
    for (const machine& one : machines) {
        if (const auto ms = measured_ms_per_byte(one, mean_layer_bytes)) {
            known += *ms;
            ++count;
        }
    }
    const double usual = count > 0 ? known / count : 1000.0 / assumed_read_bytes_per_s;
    for (machine& one : machines) {
        participant node;
        node.usable = usable_bytes(one, what);
        node.ms_per_byte = measured_ms_per_byte(one, mean_layer_bytes).value_or(usual);
        node.overhead_ms = usable_number(one.step_overhead_ms) ? one.step_overhead_ms : 0.0;
        node.reluctance_ms_per_byte = one.has_file ? 0.0 : fetch_reluctance * node.ms_per_byte;
        for (const loaded_stage& stage : what.previous) {
            if (stage.node == one.id) {
                node.loaded = units_of(stage.layers);
            }
        }
        if (what.coordinator == one.id) {
            preferred_ = nodes_.size();
        }
        node.what = std::move(one);
        nodes_.push_back(std::move(node));
    }
}

std::optional<unit_range> problem::units_of(layer_range layers) const {
    const auto first = std::lower_bound(cut_layer_.begin(), cut_layer_.end(), layers.first);
    const auto end = std::lower_bound(cut_layer_.begin(), cut_layer_.end(), layers.end);
    if (layers.count() <= 0 || first == cut_layer_.end() || *first != layers.first || end == cut_layer_.end() ||
        *end != layers.end) {
        return std::nullopt;
    }
    return unit_range{.first = static_cast<std::size_t>(first - cut_layer_.begin()),
                      .end = static_cast<std::size_t>(end - cut_layer_.begin())};
}

bool problem::fits(std::size_t node, unit_range units, stage_kind kind) const {
    return add_saturated(bytes(units), fixed_bytes(kind)) <= nodes_[node].usable;
}

std::size_t problem::reach(std::size_t node, std::size_t from, stage_kind kind) const {
    if (fixed_bytes(kind) > nodes_[node].usable) {
        return from;
    }
    const std::uint64_t limit = add_saturated(memory_[from], nodes_[node].usable - fixed_bytes(kind));
    const auto beyond = std::upper_bound(memory_.begin() + static_cast<std::ptrdiff_t>(from), memory_.end(), limit);
    return static_cast<std::size_t>(beyond - memory_.begin()) - 1;
}

chain_time problem::time_of(std::span<const std::size_t> order, std::span<const unit_range> ranges) const {
    chain_time out;
    out.batch_share = batch_share_;
    std::size_t from = order.back();
    for (std::size_t at = 0; at < order.size(); ++at) {
        const participant& node = nodes_[order[at]];
        double read = at + 1 == order.size() ? head_bytes_ : 0.0;
        if (!ranges.empty()) {
            read += read_bytes(ranges[at]);
        }
        out.stages.push_back({.layers_ms = read * node.ms_per_byte, .overhead_ms = node.overhead_ms});
        out.latency_ms += one_way_ms(from, order[at]);
        if (at > 0) {  // from the coordinator to the first stage go token ids alone
            const double each = sequence_ms(from, order[at]);
            out.sequence_ms += each;
            out.slowest_sequence_ms = std::max(out.slowest_sequence_ms, each);
        }
        from = order[at];
    }
    return out;
}

}  // namespace starling::plan
