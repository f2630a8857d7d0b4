#include "plan/feasible.hpp"

#include <algorithm>
#include <bit>
#include <bitset>
#include <numeric>
#include <optional>

namespace starling::plan {

namespace {

using cut_set = std::bitset<max_layers + 1>;
using machine_set = std::uint32_t;

/// The machines worth looking at: all, or those with the most memory, one that may coordinate among them.
std::vector<std::size_t> largest(const problem& of) {
    const auto nodes = of.nodes();
    std::vector<std::size_t> out(nodes.size());
    std::iota(out.begin(), out.end(), std::size_t{0});
    if (out.size() <= max_exhaustive) {
        return out;
    }
    std::stable_sort(out.begin(), out.end(),
                     [&](std::size_t a, std::size_t b) { return nodes[a].usable > nodes[b].usable; });
    const auto coordinator =
        std::find_if(out.begin(), out.end(), [&](std::size_t one) { return nodes[one].what.may_coordinate; });
    if (coordinator != out.end() && coordinator - out.begin() >= static_cast<std::ptrdiff_t>(max_exhaustive)) {
        std::iter_swap(out.begin() + max_exhaustive - 1, coordinator);
    }
    out.resize(max_exhaustive);
    return out;
}

/// How far each machine reaches from each cut, as the first of several stages or in the middle.
class reaches {
  public:
    reaches(const problem& of, std::vector<std::size_t> machines)
        : machines_(std::move(machines)), row_(of.units() + 1) {
        for (const std::size_t one : machines_) {
            first_.push_back(static_cast<std::uint16_t>(of.reach(one, 0, stage_kind::first)));
            for (std::size_t from = 0; from < row_; ++from) {
                middle_.push_back(static_cast<std::uint16_t>(of.reach(one, from, stage_kind::middle)));
            }
            // The lowest cut from which it can hold the rest as the last stage; units() when not even one unit.
            std::size_t lowest = of.units();
            while (lowest > 0 && of.fits(one, {lowest - 1, of.units()}, stage_kind::last)) {
                --lowest;
            }
            last_.push_back(of.nodes()[one].what.may_coordinate ? lowest : of.units());
        }
    }

    std::size_t count() const { return machines_.size(); }
    std::size_t machine(std::size_t i) const { return machines_[i]; }
    std::size_t from(std::size_t i, std::size_t cut, bool first) const {
        return first ? first_[i] : middle_[i * row_ + cut];
    }
    std::size_t last_from(std::size_t i) const { return last_[i]; }

  private:
    std::vector<std::size_t> machines_;
    std::size_t row_;
    std::vector<std::uint16_t> first_;
    std::vector<std::uint16_t> middle_;
    std::vector<std::size_t> last_;
};

/// best(set) for every set, with the machine that comes last in it.
struct best_prefixes {
    std::vector<std::uint16_t> cut;
    std::vector<std::uint8_t> last;
};

best_prefixes prefixes(const reaches& of) {
    const machine_set sets = machine_set{1} << of.count();
    best_prefixes out{.cut = std::vector<std::uint16_t>(sets, 0), .last = std::vector<std::uint8_t>(sets, 0)};
    for (machine_set set = 1; set < sets; ++set) {
        for (machine_set left = set; left != 0; left &= left - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(left));
            const machine_set others = set & ~(machine_set{1} << i);
            const std::size_t reached = of.from(i, out.cut[others], out.cut[others] == 0);
            if (reached > out.cut[set]) {
                out.cut[set] = static_cast<std::uint16_t>(reached);
                out.last[set] = static_cast<std::uint8_t>(i);
            }
        }
    }
    return out;
}

std::vector<std::size_t> alone(const problem& of, std::size_t machine) {
    const bool holds = of.nodes()[machine].what.may_coordinate && of.fits(machine, {0, of.units()}, stage_kind::whole);
    return holds ? std::vector{machine} : std::vector<std::size_t>{};
}

}  // namespace

std::vector<std::vector<std::size_t>> feasible_orders(const problem& of) {
    const reaches reach(of, largest(of));
    const best_prefixes best = prefixes(reach);
    std::vector<std::optional<machine_set>> fewest(reach.count());
    for (machine_set set = 1; set < best.cut.size(); ++set) {
        const std::size_t end = std::min<std::size_t>(best.cut[set], of.units() - 1);
        for (std::size_t c = 0; c < reach.count(); ++c) {
            const bool inside = (set >> c & 1U) != 0;
            if (!inside && end > 0 && end >= reach.last_from(c) &&
                (!fewest[c] || std::popcount(set) < std::popcount(*fewest[c]))) {
                fewest[c] = set;
            }
        }
    }
    std::vector<std::vector<std::size_t>> out;
    for (std::size_t c = 0; c < reach.count(); ++c) {
        if (auto whole = alone(of, reach.machine(c)); !whole.empty()) {
            out.push_back(std::move(whole));
        } else if (fewest[c]) {
            std::vector<std::size_t> order{reach.machine(c)};
            for (machine_set set = *fewest[c]; set != 0; set &= ~(machine_set{1} << best.last[set])) {
                order.push_back(reach.machine(best.last[set]));
            }
            std::reverse(order.begin(), order.end());
            out.push_back(std::move(order));
        }
    }
    return out;
}

namespace {

/// All cuts that a stage may end at which begins at one of `from`.
cut_set ends(const reaches& reach, std::size_t i, const cut_set& from, std::size_t units, bool first) {
    cut_set out;
    std::size_t done = 0;
    for (std::size_t cut = 0; cut < units; ++cut) {
        if (!from.test(cut)) continue;
        const std::size_t until = reach.from(i, cut, first);
        for (std::size_t end = std::max(cut + 1, done + 1); end <= until; ++end) {
            out.set(end);
        }
        done = std::max(done, until);
    }
    return out;
}

/// The order of the machines in `set` that covers everything before `cut`, the last first.
std::vector<std::size_t> trace(const reaches& reach, const std::vector<cut_set>& reached, machine_set set,
                               std::size_t cut) {
    std::vector<std::size_t> out;
    while (set != 0) {
        const machine_set before = set;
        for (machine_set left = set; left != 0 && set == before; left &= left - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(left));
            const machine_set others = set & ~(machine_set{1} << i);
            for (std::size_t from = 0; from < cut; ++from) {
                if (reached[others].test(from) && reach.from(i, from, others == 0) >= cut) {
                    out.push_back(reach.machine(i));
                    set = others;
                    cut = from;
                    break;
                }
            }
        }
        if (set == before) break;  // cannot be: `cut` was reached
    }
    return out;
}

}  // namespace

// Here a stage may not be empty, so it can matter that an earlier one takes less than it could: all reachable cuts of a
// set are kept, not just the furthest.
std::vector<std::vector<std::size_t>> feasible_orders(const problem& of, std::size_t stages) {
    std::vector<std::vector<std::size_t>> out;
    if (stages == 1) {
        for (std::size_t one = 0; one < of.nodes().size(); ++one) {
            if (auto whole = alone(of, one); !whole.empty()) {
                out.push_back(std::move(whole));
            }
        }
        return out;
    }
    const reaches reach(of, largest(of));
    if (stages == 0 || stages > reach.count() || stages > of.units()) {
        return out;
    }
    std::vector<cut_set> reached(std::size_t{1} << reach.count());
    reached[0].set(0);
    std::vector<bool> found(reach.count(), false);
    for (machine_set set = 1; set < reached.size(); ++set) {
        const auto members = static_cast<std::size_t>(std::popcount(set));
        if (members >= stages) continue;
        for (machine_set left = set; left != 0; left &= left - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(left));
            const machine_set others = set & ~(machine_set{1} << i);
            if (reached[others].any()) {
                reached[set] |= ends(reach, i, reached[others], of.units(), others == 0);
            }
        }
        if (members + 1 < stages) continue;
        for (std::size_t c = 0; c < reach.count(); ++c) {
            if (found[c] || (set >> c & 1U) != 0) continue;
            for (std::size_t cut = std::max<std::size_t>(reach.last_from(c), 1); cut < of.units(); ++cut) {
                if (!reached[set].test(cut)) continue;
                auto order = trace(reach, reached, set, cut);
                std::reverse(order.begin(), order.end());
                order.push_back(reach.machine(c));
                out.push_back(std::move(order));
                found[c] = true;
                break;
            }
        }
    }
    return out;
}

}  // namespace starling::plan
