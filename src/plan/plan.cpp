#include "plan/plan.hpp"

#include "plan/level.hpp"
#include "plan/order.hpp"
#include "plan/problem.hpp"
#include "plan/search.hpp"
#include "plan/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace starling::plan {

namespace {

/// Far above any time for a byte: what is loaded then stays where it can.
constexpr double keep_ms_per_byte = 1.0;

result<void> check(const model_shape& model, std::span<const machine> machines, const wish& what) {
    const auto layers = static_cast<std::int64_t>(model.layers.size());
    if (layers < 1 || model.layers.size() > max_layers) {
        return fail(errc::invalid, fmt::format("A plan is made for models of 1 to {} layers; '{}' has {}.", max_layers,
                                               model.name, layers));
    }
    std::int32_t before = 0;
    for (const std::int32_t cut : model.cuts) {
        if (cut <= before || cut >= layers) {
            return fail(errc::invalid,
                        fmt::format("The cuts of '{}' have to ascend within its {} layers.", model.name, layers));
        }
        before = cut;
    }
    if (model.shared_bytes > std::min(model.first_bytes, model.last_bytes)) {
        return fail(errc::invalid,
                    fmt::format("'{}' shares more bytes than its first and last stage have.", model.name));
    }
    if (what.context < 1 || what.slots < 1 || what.streams < 0) {
        return fail(errc::invalid, "A plan needs a context and slots of at least 1.");
    }
    if (!std::isfinite(what.margin_share) || what.margin_share < 0.0 || what.margin_share >= 1.0) {
        return fail(errc::invalid, "The share of memory that stays free has to be from 0 up to 1.");
    }
    std::set<node_id> seen;
    for (const machine& one : machines) {
        if (!seen.insert(one.id).second) {
            return fail(errc::invalid, fmt::format("The machine {} is listed twice.", short_name(one.id)));
        }
    }
    return {};
}

std::vector<machine> not_avoided(std::span<const machine> machines, const wish& what) {
    std::vector<machine> out;
    std::copy_if(machines.begin(), machines.end(), std::back_inserter(out), [&](const machine& one) {
        return std::find(what.avoid.begin(), what.avoid.end(), one.id) == what.avoid.end();
    });
    return out;
}

/// The whole model on the machine that was wished for, else on the one that is best at it.
std::optional<cut_chain> place_whole(const problem& of, objective wanted) {
    order_solver solver(of, wanted);
    std::optional<cut_chain> best;
    for (std::size_t one = 0; one < of.nodes().size(); ++one) {
        if (!of.nodes()[one].what.may_coordinate) continue;
        const std::size_t order[] = {one};
        auto found = solver.solve(order);
        if (!found) continue;
        if (of.preferred() == one) {
            return found;
        }
        if (!best || found->score < best->score) {
            best = std::move(found);
        }
    }
    return best;
}

std::optional<cut_chain> levelled(const problem& of, std::optional<cut_chain> found) {
    return found ? std::optional(level(of, std::move(*found))) : std::nullopt;
}

std::optional<cut_chain> place_fresh(const problem& of, const wish& what) {
    if (what.split == split_mode::exactly && what.stages > 1) {
        return levelled(of, search(of, {}, {.min_stages = what.stages, .max_stages = what.stages}));
    }
    if (auto whole = place_whole(of, {}); whole || what.split != split_mode::automatic) {
        return whole;
    }
    return levelled(of, search(of, {}, {.min_stages = 1, .max_stages = max_stages}));
}

/// The plan that moves the fewest bytes, unless a fresh one is so much better that it is worth it.
std::optional<cut_chain> place(const problem& of, const wish& what) {
    auto fresh = place_fresh(of, what);
    const bool loaded = std::any_of(of.nodes().begin(), of.nodes().end(),
                                    [](const participant& one) { return one.loaded.has_value(); });
    if (!fresh || !loaded) {
        return fresh;
    }
    search_bounds bounds{.min_stages = 1, .max_stages = max_stages};
    if (what.split == split_mode::never) bounds.max_stages = 1;
    if (what.split == split_mode::exactly) bounds = {.min_stages = what.stages, .max_stages = what.stages};
    auto kept = search(of, {.move_ms_per_byte = keep_ms_per_byte}, bounds);
    if (!kept) {
        return fresh;
    }
    // On the same terms, without what moving costs.
    const cut_chain plain = order_solver(of, {}).judge(kept->order, kept->ranges);
    return fresh->score * stability_gain < plain.score ? fresh : kept;
}

}  // namespace

std::uint64_t usable_bytes(const machine& one, const wish& what) {
    const double share = std::isfinite(what.margin_share) ? std::clamp(what.margin_share, 0.0, 1.0) : 0.0;
    const double kept = static_cast<double>(one.free_bytes) * share;
    if (kept >= static_cast<double>(one.free_bytes)) {
        return 0;
    }
    const auto margin = std::max(static_cast<std::uint64_t>(kept), what.margin_bytes);
    return one.free_bytes > margin ? one.free_bytes - margin : 0;
}

stage_memory memory_of(const model_shape& model, layer_range layers, const wish& what) {
    const bool first = layers.first == 0;
    const bool last = layers.end == static_cast<std::int32_t>(model.layers.size());
    const auto slots = static_cast<std::uint64_t>(what.slots);
    const auto positions = multiply_saturated(static_cast<std::uint64_t>(what.context), slots);
    stage_memory out;
    out.weight_bytes = model.every_bytes;
    out.weight_bytes = add_saturated(out.weight_bytes, first ? model.first_bytes : 0);
    out.weight_bytes =
        add_saturated(out.weight_bytes, last ? add_saturated(model.last_bytes, model.vocabulary_bytes) : 0);
    out.weight_bytes -= first && last ? model.shared_bytes : 0;
    for (auto i = layers.first; i < layers.end; ++i) {
        const layer_shape& one = model.layers[static_cast<std::size_t>(i)];
        out.weight_bytes = add_saturated(out.weight_bytes, one.weight_bytes);
        out.kv_bytes = add_saturated(out.kv_bytes, multiply_saturated(one.kv_bytes_per_position, positions));
        out.kv_bytes = add_saturated(out.kv_bytes, multiply_saturated(one.state_bytes_per_sequence, slots));
    }
    out.compute_bytes = first && last ? model.compute.whole
                        : first       ? model.compute.first
                        : last        ? model.compute.last
                                      : model.compute.middle;
    return out;
}

namespace {

placement describe(const problem& of, const model_shape& model, const wish& what, const cut_chain& chain) {
    placement out;
    out.model = model.name;
    out.slots = what.slots;
    const chain_time time = of.time_of(chain.order, chain.ranges);
    std::size_t before = chain.order.back();
    for (std::size_t at = 0; at < chain.order.size(); ++at) {
        const participant& node = of.nodes()[chain.order[at]];
        stage one;
        one.node = node.what.id;
        one.name = node.what.name;
        one.layers = of.layers(chain.ranges[at]);
        one.memory = memory_of(model, one.layers, what);
        one.usable_bytes = node.usable;
        one.ms_per_token = time.stages[at].layers_ms + time.stages[at].overhead_ms;
        one.trip_ms = of.one_way_ms(before, chain.order[at]) + (at > 0 ? of.sequence_ms(before, chain.order[at]) : 0.0);
        one.loaded = node.loaded == chain.ranges[at];
        before = chain.order[at];
        out.stages.push_back(std::move(one));
    }
    out.compute_ms = time.compute_ms();
    out.network_ms = time.network_ms();
    const double alone = time.cycle_ms(1);
    out.tokens_per_s = alone > 0.0 ? 1000.0 / alone : 0.0;
    out.groups = static_cast<std::size_t>(time.best_groups(what.slots));
    const double period = time.period_ms(what.slots, static_cast<std::int64_t>(out.groups));
    out.total_tokens_per_s = period > 0.0 ? 1000.0 * static_cast<double>(what.slots) / period : 0.0;
    return out;
}

}  // namespace

result<placement> make_plan(const model_shape& model, std::span<const machine> machines, const network& links,
                            const wish& what) {
    if (auto checked = check(model, machines, what); !checked) {
        return checked.error();
    }
    const problem of(model, not_avoided(machines, what), links, what);
    if (auto refused = refuse_early(of, model, what)) {
        return *refused;
    }
    const auto chain = place(of, what);
    if (!chain) {
        return refuse(of, model, what);
    }
    placement out = describe(of, model, what, *chain);
    out.reason = explain(of, model, links, what, out);
    return out;
}

result<placement> predict(const model_shape& model, std::span<const machine> machines, const network& links,
                          const wish& what, std::span<const loaded_stage> stages) {
    if (auto checked = check(model, machines, what); !checked) {
        return checked.error();
    }
    const problem of(model, {machines.begin(), machines.end()}, links, what);
    cut_chain chain;
    std::size_t covered = 0;
    for (const loaded_stage& stage : stages) {
        const auto node = std::find_if(of.nodes().begin(), of.nodes().end(),
                                       [&](const participant& one) { return one.what.id == stage.node; });
        const auto units = of.units_of(stage.layers);
        const auto index = static_cast<std::size_t>(node - of.nodes().begin());
        const bool twice = std::find(chain.order.begin(), chain.order.end(), index) != chain.order.end();
        if (node == of.nodes().end() || twice || !units || units->first != covered) {
            return fail(errc::invalid,
                        fmt::format("Layers {} to {} of '{}' on {} are no stage of this model.", stage.layers.first,
                                    stage.layers.end, model.name, short_name(stage.node)));
        }
        chain.order.push_back(index);
        chain.ranges.push_back(*units);
        covered = units->end;
    }
    if (covered != of.units()) {
        return fail(errc::invalid, fmt::format("The stages do not cover all layers of '{}'.", model.name));
    }
    return describe(of, model, what, chain);
}

}  // namespace starling::plan
