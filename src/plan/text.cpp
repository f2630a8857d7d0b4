#include "plan/text.hpp"

#include "base/size_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace starling::plan {

namespace {

constexpr std::size_t max_named_machines = 16;  // a sentence, not a listing

std::string name_of(const machine& one) {
    return one.name.empty() ? short_name(one.id) : one.name;
}

std::string name_of(const stage& one) {
    return one.name.empty() ? short_name(one.node) : one.name;
}

std::string counted(std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string need_text(const model_shape& model, const wish& what) {
    const auto memory = memory_of(model, {0, static_cast<std::int32_t>(model.layers.size())}, what);
    return fmt::format(
        "needs {} of memory ({} weights, {} for {} x {} tokens of context, {} work space)",
        size_text(add_saturated(memory.weight_bytes, add_saturated(memory.kv_bytes, memory.compute_bytes))),
        size_text(memory.weight_bytes), size_text(memory.kv_bytes), what.slots, what.context,
        size_text(memory.compute_bytes));
}

/// "anna 12.0 GB, bert 8.0 GB", the largest first.
std::string room_text(const problem& of) {
    std::vector<std::size_t> order(of.nodes().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    rank(order, [&](std::size_t a, std::size_t b) { return of.nodes()[a].usable > of.nodes()[b].usable; });
    std::string out;
    for (std::size_t i = 0; i < std::min(order.size(), max_named_machines); ++i) {
        const participant& one = of.nodes()[order[i]];
        out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", name_of(one.what), size_text(one.usable),
                           one.what.may_coordinate ? "" : " (may not coordinate)");
    }
    if (order.size() > max_named_machines) {
        out += fmt::format(" and {} more", order.size() - max_named_machines);
    }
    return out;
}

/// Empty where the machines have kept their own.
std::string margin_text(const wish& what) {
    if (what.margin_share == 0.0 && what.margin_bytes == 0) {
        return {};
    }
    return fmt::format(" after {:.0f} % (at least {}) are kept free", what.margin_share * 100.0,
                       size_text(what.margin_bytes));
}

std::uint64_t all_usable(const problem& of) {
    std::uint64_t sum = 0;
    for (const participant& one : of.nodes()) {
        sum = add_saturated(sum, one.usable);
    }
    return sum;
}

bool fits_whole(const problem& of, std::size_t node) {
    return of.nodes()[node].what.may_coordinate && of.fits(node, {0, of.units()}, stage_kind::whole);
}

bool fits_anywhere(const problem& of) {
    for (std::size_t i = 0; i < of.nodes().size(); ++i) {
        if (fits_whole(of, i)) return true;
    }
    return false;
}

}  // namespace

std::optional<error> refuse_early(const problem& of, const model_shape& model, const wish& what) {
    if (of.nodes().empty()) {
        return fail(errc::no_machine, fmt::format("There is no machine that '{}' could be placed on.", model.name));
    }
    if (std::none_of(of.nodes().begin(), of.nodes().end(),
                     [](const participant& one) { return one.what.may_coordinate; })) {
        return fail(errc::no_coordinator, fmt::format("None of the {} may coordinate '{}'.",
                                                      counted(of.nodes().size(), "machine"), model.name));
    }
    if (what.split != split_mode::exactly) {
        return std::nullopt;
    }
    if (what.stages < 1 || what.stages > max_stages) {
        return fail(errc::invalid,
                    fmt::format("A model is split into 1 to {} stages, not {}.", max_stages, what.stages));
    }
    if (what.stages > of.units()) {
        return fail(errc::cannot_split, fmt::format("'{}' can be cut into at most {}, and {} were asked for.",
                                                    model.name, counted(of.units(), "stage"), what.stages));
    }
    if (what.stages > of.nodes().size()) {
        return fail(errc::too_few_machines,
                    fmt::format("{} were asked for and there {} {}: each stage needs a machine of its own.",
                                counted(what.stages, "stage"), of.nodes().size() == 1 ? "is" : "are",
                                counted(of.nodes().size(), "machine")));
    }
    return std::nullopt;
}

error refuse(const problem& of, const model_shape& model, const wish& what) {
    const std::string need = fmt::format("'{}' {}", model.name, need_text(model, what));
    const std::string room = room_text(of) + margin_text(what);
    if (what.split == split_mode::never || (what.split == split_mode::exactly && what.stages == 1)) {
        return fail(errc::too_large,
                    fmt::format("{}, and no machine has that much: {}; allow it to be split, or choose "
                                "less context or a smaller model.",
                                need, room));
    }
    if (of.units() == 1) {
        return fail(errc::cannot_split,
                    fmt::format("{}, cannot be split, and no machine has that much: {}.", need, room));
    }
    const std::uint64_t all = all_usable(of);
    const std::uint64_t least = add_saturated(of.bytes({0, of.units()}), of.fixed_bytes(stage_kind::first));
    if (least > all) {
        const std::string everybody =
            of.nodes().size() == 1 ? "there is one machine"
                                   : fmt::format("all {} machines together have {}", of.nodes().size(), size_text(all));
        return fail(errc::too_large,
                    fmt::format("{}, and {}: {}; choose less context, a smaller model, or add a machine.", need,
                                everybody, room));
    }
    std::uint64_t largest = 0;
    for (std::size_t unit = 0; unit < of.units(); ++unit) {
        largest = std::max(largest, of.bytes({unit, unit + 1}));
    }
    const std::string into =
        what.split == split_mode::exactly ? fmt::format("into exactly {} stages", what.stages) : "anywhere";
    return fail(
        errc::too_large,
        fmt::format("{}; all {} together have {}, but it cannot be cut {} so that every stage fits (the largest "
                    "piece is {}, and each stage takes {} to {} besides its layers): {}.",
                    need, counted(of.nodes().size(), "machine"), size_text(all), into, size_text(largest),
                    size_text(of.fixed_bytes(stage_kind::middle)),
                    size_text(std::max(of.fixed_bytes(stage_kind::first), of.fixed_bytes(stage_kind::last))), room));
}

namespace {

std::string why_whole(const problem& of, const wish& what, const placement& plan) {
    const stage& only = plan.stages.front();
    std::string out = fmt::format("The whole model fits on {}: {} of the {} it can give. ", name_of(only),
                                  size_text(only.memory.total()), size_text(only.usable_bytes));
    std::size_t fitting = 0;
    for (std::size_t i = 0; i < of.nodes().size(); ++i) {
        fitting += fits_whole(of, i) ? 1 : 0;
    }
    if (what.coordinator == only.node) {
        return out + "It was named there, and one machine needs no network.";
    }
    if (only.loaded) {
        return out + "It is loaded there already.";
    }
    if (fitting > 1) {
        return out +
               fmt::format("Of the {} where it fits, this one is the fastest at it.", counted(fitting, "machine"));
    }
    return out + "It fits nowhere else.";
}

std::string why_split(const problem& of, const model_shape& model, const wish& what, const placement& plan) {
    std::string out;
    if (what.split == split_mode::exactly) {
        out = fmt::format("{} were asked for. ", counted(plan.stages.size(), "stage"));
    } else if (!fits_anywhere(of)) {
        const auto most = std::max_element(of.nodes().begin(), of.nodes().end(),
                                           [](const auto& a, const auto& b) { return a.usable < b.usable; });
        out = fmt::format(
            "No machine that may coordinate holds the whole model: it {}, and the most that one has is {} "
            "({}). ",
            need_text(model, what), size_text(most->usable), name_of(most->what));
    } else {
        out = "It would fit on one machine, but it is loaded as it is and that would not be much faster. ";
    }
    out += fmt::format(
        "Of {}, {} make{} the fastest chain that was found: {:.1f} ms of computing and {:.1f} ms of "
        "network for a token. ",
        counted(of.nodes().size(), "machine"), plan.stages.size(), plan.stages.size() == 1 ? "s" : "", plan.compute_ms,
        plan.network_ms);
    const stage& last = plan.coordinator();
    out += fmt::format(
        "{} coordinates{}.", name_of(last),
        what.coordinator == last.node ? ", since it was named there"
        : what.coordinator
            ? fmt::format(", which gives more than with {}",
                          [&] {
                              const auto named = std::find_if(
                                  of.nodes().begin(), of.nodes().end(),
                                  [&](const participant& one) { return one.what.id == *what.coordinator; });
                              return named == of.nodes().end() ? short_name(*what.coordinator) : name_of(named->what);
                          }())
            : "");
    return out;
}

std::string assumptions(const network& links, const problem& of, const placement& plan) {
    std::string out;
    std::size_t unknown = 0;
    const stage* before = &plan.coordinator();
    for (const stage& one : plan.stages) {
        unknown += links.knows(before->node, one.node) ? 0 : 1;
        before = &one;
    }
    if (unknown > 0) {
        out += fmt::format(" {} of the links {} never measured and counted as {:.0f} ms there and back.", unknown,
                           unknown == 1 ? "was" : "were", assumed_round_trip_ms);
    }
    std::string slow;
    for (const stage& one : plan.stages) {
        const auto found = std::find_if(of.nodes().begin(), of.nodes().end(),
                                        [&](const participant& node) { return node.what.id == one.node; });
        if (!(found->what.read_bytes_per_s > 0.0) && !found->what.measured_layer_ms) {
            slow += (slow.empty() ? "" : ", ") + name_of(one);
        }
    }
    if (!slow.empty()) {
        out += fmt::format(" Speed not measured, so taken as usual: {}.", slow);
    }
    return out;
}

}  // namespace

std::string explain(const problem& of, const model_shape& model, const network& links, const wish& what,
                    const placement& plan) {
    std::string out = plan.stages.size() == 1 ? why_whole(of, what, plan) : why_split(of, model, what, plan);
    const auto kept =
        std::count_if(plan.stages.begin(), plan.stages.end(), [](const stage& one) { return one.loaded; });
    if (kept > 0 && plan.stages.size() > 1) {
        out += fmt::format(" {} of {} stages stay where they are loaded.", kept, plan.stages.size());
    } else if (!what.previous.empty() && kept == 0) {
        out += " Nothing of what is loaded can stay as it is.";
    }
    return out + assumptions(links, of, plan);
}

std::string to_table(const placement& plan) {
    const std::vector<std::string> head{"stage", "machine", "layers",  "memory",       "weights", "KV",
                                        "work",  "of",      "compute", "trip to here", ""};
    std::vector<std::vector<std::string>> rows{head};
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const stage& one = plan.stages[i];
        std::string notes = i + 1 == plan.stages.size() ? "coordinator" : "";
        if (one.loaded) notes += notes.empty() ? "loaded" : ", loaded";
        rows.push_back({std::to_string(i + 1), name_of(one), fmt::format("{}-{}", one.layers.first, one.layers.end - 1),
                        size_text(one.memory.total()), size_text(one.memory.weight_bytes),
                        size_text(one.memory.kv_bytes), size_text(one.memory.compute_bytes),
                        size_text(one.usable_bytes), fmt::format("{:.2f} ms", one.ms_per_token),
                        fmt::format("{:.2f} ms", one.trip_ms), notes});
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            std::size_t width = 0;
            for (const auto& other : rows) {
                width = std::max(width, other[column].size());
            }
            const bool text = column == 1 || column + 1 == row.size();
            line += text ? fmt::format("{:<{}}  ", row[column], width) : fmt::format("{:>{}}  ", row[column], width);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    out += fmt::format("One stream: {:.2f} ms for a token ({:.2f} compute, {:.2f} network), {:.1f} tokens/s.\n",
                       plan.ms_per_token(), plan.compute_ms, plan.network_ms, plan.tokens_per_s);
    if (plan.slots > 1) {
        out += fmt::format("{} streams in {}: {:.1f} tokens/s together.\n", plan.slots, counted(plan.groups, "group"),
                           plan.total_tokens_per_s);
    }
    return out + plan.reason + "\n";
}

}  // namespace starling::plan
