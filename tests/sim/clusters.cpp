#include "clusters.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

namespace starling::sim {

namespace {

constexpr std::uint64_t mb = 1'000'000;
constexpr std::uint64_t gb = 1'000'000'000;

class chance {
  public:
    explicit chance(std::uint64_t seed) : seed_(seed) {}
    double between(double low, double high) { return low + (high - low) * uniform_draw(seed_, draws_++); }
    /// Evenly over orders of magnitude.
    double around(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }
    std::size_t whole(std::size_t low, std::size_t high) {
        return low + static_cast<std::size_t>(between(0.0, static_cast<double>(high - low + 1)));
    }
    bool one_in(std::size_t of) { return whole(1, of) == 1; }

  private:
    std::uint64_t seed_;
    std::uint64_t draws_ = 0;
};

struct known_model {
    const char* name;
    std::size_t layers;
    double weights_gb;  // of the layers
    double read_gb;     // of those, for one token
    double head_gb;
    std::uint64_t kv_bytes;  // per position and layer
    std::int32_t width;
};

// Four bits a weight, as such models are mostly run.
constexpr auto known_models = std::to_array<known_model>({
    {"7B", 32, 3.9, 3.9, 0.11, 16384, 4096},
    {"13B", 40, 7.4, 7.4, 0.13, 20480, 5120},
    {"34B", 48, 19.6, 19.6, 0.2, 4096, 8192},
    {"8x7B", 32, 26.0, 7.2, 0.11, 4096, 4096},
    {"70B", 80, 39.5, 39.5, 0.5, 4096, 8192},
    {"120B, 36 layers of experts", 36, 62.0, 2.9, 0.6, 2048, 2880},
    {"235B, 94 layers of experts", 94, 132.0, 12.4, 0.5, 2048, 4096},
    {"405B", 126, 228.0, 228.0, 1.2, 4096, 16384},
});

plan::model_shape shape_of(const known_model& known) {
    plan::model_shape out;
    out.name = known.name;
    const auto each = static_cast<double>(gb) / static_cast<double>(known.layers);
    out.layers.assign(known.layers, {.weight_bytes = static_cast<std::uint64_t>(known.weights_gb * each),
                                     .read_bytes = static_cast<std::uint64_t>(known.read_gb * each),
                                     .kv_bytes_per_position = known.kv_bytes});
    out.first_bytes = out.last_bytes = static_cast<std::uint64_t>(known.head_gb * static_cast<double>(gb));
    const auto width = static_cast<std::uint64_t>(known.width);
    out.compute = {
        .first = width * 40'000, .middle = width * 40'000, .last = width * 100'000, .whole = width * 100'000};
    for (std::size_t cut = 1; cut < known.layers; ++cut) {
        out.cuts.push_back(static_cast<std::int32_t>(cut));
    }
    out.embedding_length = known.width;
    return out;
}

std::uint64_t whole_bytes(const cluster& of) {
    return plan::memory_of(of.model, {0, static_cast<std::int32_t>(of.model.layers.size())}, of.wish).total();
}

node_id draw_id(std::uint64_t seed, std::size_t i) {
    node_id id;
    const auto bits = philox4x32(seed, 1'000'000 + i);
    for (std::size_t b = 0; b < id.bytes.size(); ++b) {
        id.bytes[b] = static_cast<std::uint8_t>(bits[b % 4] >> (b / 4));
    }
    return id;
}

void draw_links(cluster& out, chance& draw, const std::vector<std::size_t>& site) {
    const std::size_t sites = 1 + *std::max_element(site.begin(), site.end());
    std::vector<double> between_sites(sites * sites);
    for (double& ms : between_sites) {
        ms = draw.around(4.0, 80.0);
    }
    for (std::size_t a = 0; a < site.size(); ++a) {
        for (std::size_t b = a + 1; b < site.size(); ++b) {
            const std::size_t low = std::min(site[a], site[b]);
            const std::size_t high = std::max(site[a], site[b]);
            const double local = draw.around(0.2, 2.0);
            const double far = between_sites[low * sites + high] * draw.between(1.0, 1.15);
            const double rate = low == high ? draw.around(100e6, 1.2e9) : draw.around(3e6, 100e6);
            out.links.set(out.machines[a].id, out.machines[b].id,
                          {.round_trip_ms = low == high ? local : far, .bytes_per_s = rate});
        }
    }
}

}  // namespace

cluster draw_cluster(std::uint64_t seed, std::size_t least, std::size_t most, model_size size) {
    chance draw(seed);
    cluster out;
    out.seed = seed;
    out.wish.slots = 8;
    out.wish.context = 4096;
    const std::size_t count = draw.whole(least, most);
    const std::size_t sites = draw.whole(1, std::min<std::size_t>(4, count));
    std::vector<std::size_t> site;
    std::uint64_t sum = 0;
    std::uint64_t largest = 0;
    constexpr std::uint64_t sizes_gb[] = {8, 8, 16, 16, 16, 24, 32, 32, 48, 64, 96, 128};
    for (std::size_t i = 0; i < count; ++i) {
        plan::machine one;
        one.id = draw_id(seed, i);
        one.name = "m" + std::to_string(i + 1);
        one.free_bytes = static_cast<std::uint64_t>(
            static_cast<double>(sizes_gb[draw.whole(0, std::size(sizes_gb) - 1)] * gb) * draw.between(0.4, 0.95));
        one.read_bytes_per_s = draw.one_in(3) ? draw.around(150e9, 900e9) : draw.around(12e9, 80e9);
        one.step_overhead_ms = draw.between(0.1, 1.0);
        sum += plan::usable_bytes(one, out.wish);
        largest = std::max(largest, plan::usable_bytes(one, out.wish));
        out.machines.push_back(one);
        site.push_back(draw.whole(0, sites - 1));
    }
    draw_links(out, draw, site);
    // A model that somebody would name here: neither tiny for one machine nor far beyond all of them.
    std::vector<plan::model_shape> fitting;
    for (const known_model& known : known_models) {
        out.model = shape_of(known);
        const auto needed = static_cast<double>(whole_bytes(out));
        const double lowest = (size == model_size::beyond_each ? 1.0 : 0.5) * static_cast<double>(largest);
        if (needed > lowest && needed < 1.1 * static_cast<double>(sum)) {
            fitting.push_back(out.model);
        }
    }
    const auto& otherwise = size == model_size::beyond_each ? known_models.back() : known_models.front();
    out.model = fitting.empty() ? shape_of(otherwise) : fitting[draw.whole(0, fitting.size() - 1)];
    out.wish.coordinator = out.machines[draw.whole(0, count - 1)].id;
    return out;
}

cluster draw_awkward_cluster(std::uint64_t seed, std::size_t least, std::size_t most) {
    chance draw(seed);
    cluster out;
    out.seed = seed;
    out.model.name = "awkward";
    out.model.embedding_length = 64;
    const std::size_t layers = draw.whole(2, 14);
    for (std::size_t i = 0; i < layers; ++i) {
        out.model.layers.push_back(
            {.weight_bytes = draw.whole(1, 9) * mb, .kv_bytes_per_position = draw.whole(0, 3) * 1000});
        if (i > 0 && !draw.one_in(3)) {
            out.model.cuts.push_back(static_cast<std::int32_t>(i));
        }
    }
    out.model.first_bytes = draw.whole(0, 6) * mb;
    out.model.last_bytes = draw.whole(0, 6) * mb;
    out.model.shared_bytes = draw.one_in(2) ? std::min(out.model.first_bytes, out.model.last_bytes) : 0;
    out.model.vocabulary_bytes = draw.whole(0, 2) * mb;
    out.model.every_bytes = draw.whole(0, 2) * mb / 2;
    out.model.compute = {.first = draw.whole(0, 3) * mb,
                         .middle = draw.whole(0, 2) * mb,
                         .last = draw.whole(0, 3) * mb,
                         .whole = draw.whole(0, 3) * mb};
    out.wish.context = 100;
    out.wish.slots = 4;
    out.wish.margin_share = 0.0;
    out.wish.margin_bytes = 0;
    const std::size_t count = draw.whole(least, most);
    std::vector<std::size_t> site;
    // The sum of memory is near what is needed, so that about half of the clusters hold the model and half do not.
    const auto stages = static_cast<double>(std::min(count, out.model.cuts.size() + 1));
    const double mean = static_cast<double>(whole_bytes(out)) / stages + 2.0 * mb;
    for (std::size_t i = 0; i < count; ++i) {
        plan::machine one;
        one.id = draw_id(seed, i);
        one.name = "m" + std::to_string(i + 1);
        one.free_bytes = static_cast<std::uint64_t>(mean * draw.between(0.3, 1.9));
        one.read_bytes_per_s = draw.around(0.2e9, 5e9);
        one.step_overhead_ms = draw.between(0.0, 1.0);
        one.may_coordinate = !draw.one_in(4);
        out.machines.push_back(one);
        site.push_back(draw.whole(0, 2));
    }
    draw_links(out, draw, site);
    return out;
}

// ---------------------------------------------------------------------------------------------- what is, of a split

namespace {

const plan::machine& machine_of(const cluster& of, const node_id& id) {
    return *std::find_if(of.machines.begin(), of.machines.end(), [&](const plan::machine& m) { return m.id == id; });
}

std::uint64_t stage_bytes(const cluster& of, std::size_t first, std::size_t end) {
    const auto& model = of.model;
    const bool begins = first == 0;
    const bool ends = end == model.layers.size();
    std::uint64_t sum = model.every_bytes;
    for (std::size_t i = first; i < end; ++i) {
        sum += model.layers[i].weight_bytes +
               model.layers[i].kv_bytes_per_position * static_cast<std::uint64_t>(of.wish.context * of.wish.slots) +
               model.layers[i].state_bytes_per_sequence * static_cast<std::uint64_t>(of.wish.slots);
    }
    if (begins) sum += model.first_bytes;
    if (ends) sum += model.last_bytes + model.vocabulary_bytes;
    if (begins && ends) return sum - model.shared_bytes + model.compute.whole;
    return sum + (begins ? model.compute.first : ends ? model.compute.last : model.compute.middle);
}

std::uint64_t room_of(const cluster& of, const plan::machine& one) {
    const double margin =
        std::max(of.wish.margin_share * static_cast<double>(one.free_bytes), static_cast<double>(of.wish.margin_bytes));
    return margin >= static_cast<double>(one.free_bytes) ? 0 : one.free_bytes - static_cast<std::uint64_t>(margin);
}

std::vector<std::size_t> places_to_cut(const cluster& of) {
    std::vector<std::size_t> out{0};
    for (const auto cut : of.model.cuts) {
        out.push_back(static_cast<std::size_t>(cut));
    }
    out.push_back(of.model.layers.size());
    return out;
}

/// Tries every machine and every cut from `from` on, without those that were tried in vain with the same machines left.
bool some_order_fits(const cluster& of, const std::vector<std::size_t>& cuts, std::size_t from, std::uint32_t used,
                     std::set<std::pair<std::size_t, std::uint32_t>>& in_vain) {
    if (in_vain.contains({from, used})) return false;
    for (std::size_t i = 0; i < of.machines.size(); ++i) {
        if ((used >> i & 1U) != 0) continue;
        for (std::size_t to = from + 1; to < cuts.size(); ++to) {
            if (stage_bytes(of, cuts[from], cuts[to]) > room_of(of, of.machines[i])) continue;
            const bool last = to + 1 == cuts.size();
            if (last ? of.machines[i].may_coordinate : some_order_fits(of, cuts, to, used | 1U << i, in_vain)) {
                return true;
            }
        }
    }
    in_vain.insert({from, used});
    return false;
}

/// From the end of the model: for each set of machines with its coordinator, the lowest layer that it can begin at.
bool some_suffixes_fit(const cluster& of, const std::vector<std::size_t>& cuts) {
    const std::size_t count = of.machines.size();
    const std::size_t end = cuts.size() - 1;
    const auto lowest = [&](std::size_t i, std::size_t to) {
        const std::uint64_t room = room_of(of, of.machines[i]);
        std::size_t from = to;
        while (from > 0 && stage_bytes(of, cuts[from - 1], cuts[to]) <= room) --from;
        return from;
    };
    std::vector<std::vector<std::size_t>> table(count);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t to = 0; to < end; ++to) {
            // As a middle stage; whether it can be the first is asked on its own, since that takes more.
            const std::uint64_t room = room_of(of, of.machines[i]);
            std::size_t from = to;
            while (from > 1 && stage_bytes(of, cuts[from - 1], cuts[to]) <= room) --from;
            table[i].push_back(from);
        }
    }
    std::vector<std::size_t> low(std::size_t{1} << count, end);
    for (std::uint32_t set = 1; set < low.size(); ++set) {
        for (std::size_t i = 0; i < count; ++i) {
            if ((set >> i & 1U) == 0) continue;
            const std::uint32_t others = set & ~(1U << i);
            std::size_t from = low[others];
            if (others == 0) {
                if (!of.machines[i].may_coordinate) continue;
                from = lowest(i, end);
            } else if (from < end) {
                if (stage_bytes(of, 0, cuts[from]) <= room_of(of, of.machines[i])) return true;
                from = table[i][from];
            }
            low[set] = std::min(low[set], from);
            if (low[set] == 0) return true;
        }
    }
    return false;
}

}  // namespace

bool fits(const cluster& of, const split& stages) {
    std::int32_t before = 0;
    for (const auto& stage : stages) {
        if (stage.layers.first != before || stage.layers.end <= before) return false;
        before = stage.layers.end;
        const auto& cuts = of.model.cuts;
        const bool ends = before == static_cast<std::int32_t>(of.model.layers.size());
        if (!ends && std::find(cuts.begin(), cuts.end(), before) == cuts.end()) return false;
        if (stage_bytes(of, static_cast<std::size_t>(stage.layers.first), static_cast<std::size_t>(before)) >
            room_of(of, machine_of(of, stage.node))) {
            return false;
        }
    }
    return before == static_cast<std::int32_t>(of.model.layers.size()) &&
           machine_of(of, stages.back().node).may_coordinate;
}

bool anything_fits(const cluster& of) {
    const auto cuts = places_to_cut(of);
    std::set<std::pair<std::size_t, std::uint32_t>> in_vain;
    return of.machines.size() <= 6 ? some_order_fits(of, cuts, 0, 0, in_vain) : some_suffixes_fit(of, cuts);
}

split split_of(const plan::placement& plan) {
    split out;
    for (const auto& stage : plan.stages) {
        out.push_back({.node = stage.node, .layers = stage.layers});
    }
    return out;
}

chain chain_of(const cluster& of, const split& stages) {
    chain out;
    for (std::size_t at = 0; at < stages.size(); ++at) {
        const auto& one = machine_of(of, stages[at].node);
        const auto& before = stages[at == 0 ? stages.size() - 1 : at - 1].node;
        const auto link = of.links.between(before, one.id);
        const double state = of.model.embedding_length * of.model.bytes_per_activation;
        out.wires.push_back({.delay_ms = link.round_trip_ms / 2.0,
                             .sequence_ms = link.bytes_per_s > 0.0 ? 1000.0 * state / link.bytes_per_s : 0.0});
        double read = at + 1 == stages.size() ? static_cast<double>(of.model.last_bytes) : 0.0;
        for (auto i = stages[at].layers.first; i < stages[at].layers.end; ++i) {
            const auto& layer = of.model.layers[static_cast<std::size_t>(i)];
            read += static_cast<double>(layer.read_bytes > 0 ? layer.read_bytes : layer.weight_bytes);
        }
        const double first = 1000.0 * read / one.read_bytes_per_s;
        out.stages.push_back(
            {.step_ms = one.step_overhead_ms, .first_ms = first, .further_ms = first * of.wish.batch_share});
    }
    return out;
}

// ------------------------------------------------------------------------------------------------- other planners

namespace {

/// All machines, the one that was asked last.
std::vector<std::size_t> ring(const cluster& of) {
    std::vector<std::size_t> out;
    std::optional<std::size_t> asked;
    for (std::size_t i = 0; i < of.machines.size(); ++i) {
        if (of.machines[i].id == of.wish.coordinator) {
            asked = i;
        } else {
            out.push_back(i);
        }
    }
    if (asked) out.push_back(*asked);
    return out;
}

/// Layers in these shares, in the order of the ring, rounded so that all are given.
std::optional<split> in_shares(const cluster& of, const std::vector<std::size_t>& order,
                               const std::vector<double>& shares) {
    const auto all = static_cast<double>(of.model.layers.size());
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    split out;
    double before = 0.0;
    std::int32_t first = 0;
    for (std::size_t at = 0; at < order.size(); ++at) {
        before += shares[at];
        const auto end = at + 1 == order.size() ? static_cast<std::int32_t>(all)
                                                : static_cast<std::int32_t>(std::lround(all * before / sum));
        if (end > first) {
            out.push_back({.node = of.machines[order[at]].id, .layers = {first, end}});
            first = end;
        }
    }
    return fits(of, out) ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<split> by_memory(const cluster& of) {
    const auto order = ring(of);
    std::vector<double> shares;
    for (const std::size_t i : order) {
        shares.push_back(static_cast<double>(room_of(of, of.machines[i])));
    }
    return in_shares(of, order, shares);
}

std::optional<split> by_speed(const cluster& of) {
    const auto order = ring(of);
    const auto layers = of.model.layers.size();
    const double layer_bytes = static_cast<double>(stage_bytes(of, 0, layers)) / static_cast<double>(layers);
    std::vector<double> most;
    std::vector<double> shares(order.size(), 0.0);
    for (const std::size_t i : order) {
        // One layer less than there is room for, for what a stage takes besides its layers.
        most.push_back(std::max(0.0, static_cast<double>(room_of(of, of.machines[i])) / layer_bytes - 1.0));
    }
    // What is over where memory is full goes to the others, in proportion to their speed.
    double left = static_cast<double>(layers);
    for (int round = 0; round < 64 && left > 1e-6; ++round) {
        double speed = 0.0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            speed += shares[at] < most[at] ? of.machines[order[at]].read_bytes_per_s : 0.0;
        }
        if (speed <= 0.0) return std::nullopt;
        double given = 0.0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            if (shares[at] >= most[at]) continue;
            const double more = std::min(most[at] - shares[at], left * of.machines[order[at]].read_bytes_per_s / speed);
            shares[at] += more;
            given += more;
        }
        left -= given;
    }
    return left > 1e-6 ? std::nullopt : in_shares(of, order, shares);
}

}  // namespace starling::sim
