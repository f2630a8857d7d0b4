#include "plan/search.hpp"

#include "plan/feasible.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace starling::plan {

namespace {

constexpr std::size_t max_enumerated = 6;  // machines; 1956 ordered subsets
constexpr std::size_t improved_starts = 6;
constexpr std::size_t max_looks = 6000;  // orders that are looked at in all
/// Of more machines than that, those with the most memory and those that are fastest take part.
constexpr std::size_t max_considered = 32;

using order_list = std::vector<std::vector<std::size_t>>;

class searcher {
  public:
    searcher(const problem& of, objective wanted, search_bounds bounds)
        : problem_(of), bounds_(bounds), solver_(of, wanted) {
        bounds_.max_stages = std::min({bounds_.max_stages, of.units(), max_stages});
    }

    std::optional<cut_chain> run() {
        if (problem_.nodes().size() <= max_enumerated) {
            std::vector<std::size_t> order;
            enumerate(order);
            return best_;
        }
        choose_considered();
        std::vector<cut_chain> starts;
        for (const auto& order : all_starts()) {
            if (auto found = solver_.solve(order)) {
                starts.push_back(std::move(*found));
            }
        }
        std::stable_sort(starts.begin(), starts.end(),
                         [](const cut_chain& a, const cut_chain& b) { return a.score < b.score; });
        starts.resize(std::min(starts.size(), improved_starts));
        for (cut_chain& start : starts) {
            improve(std::move(start));
        }
        return best_;
    }

  private:
    bool allowed(const std::vector<std::size_t>& order) const {
        return !order.empty() && order.size() >= bounds_.min_stages && order.size() <= bounds_.max_stages &&
               problem_.nodes()[order.back()].what.may_coordinate;
    }

    // Orders are built from the coordinator backwards, so that no prefix is dropped for its last machine.
    void enumerate(std::vector<std::size_t>& order) {
        if (allowed(order)) {
            if (auto found = solver_.solve(order, best_ ? best_->score : std::numeric_limits<double>::infinity())) {
                best_ = std::move(found);
            }
        }
        if (order.size() >= bounds_.max_stages) return;
        for (std::size_t one = 0; one < problem_.nodes().size(); ++one) {
            if (std::find(order.begin(), order.end(), one) == order.end()) {
                order.insert(order.begin(), one);
                enumerate(order);
                order.erase(order.begin());
            }
        }
    }

    void choose_considered() {
        const auto nodes = problem_.nodes();
        considered_.resize(nodes.size());
        std::iota(considered_.begin(), considered_.end(), std::size_t{0});
        if (nodes.size() <= max_considered) return;
        const auto take = [&](auto better, std::size_t up_to, std::set<std::size_t>& into) {
            auto all = considered_;
            std::stable_sort(all.begin(), all.end(), better);
            for (std::size_t i = 0; i < all.size() && into.size() < up_to; ++i) {
                into.insert(all[i]);
            }
        };
        std::set<std::size_t> chosen;
        if (problem_.preferred()) chosen.insert(*problem_.preferred());
        for (std::size_t one = 0; one < nodes.size() && chosen.size() < max_stages; ++one) {
            if (nodes[one].loaded) chosen.insert(one);
        }
        take([&](std::size_t a, std::size_t b) { return nodes[a].usable > nodes[b].usable; },
             chosen.size() + (max_considered - chosen.size()) / 2, chosen);
        take([&](std::size_t a, std::size_t b) { return nodes[a].ms_per_byte < nodes[b].ms_per_byte; }, max_considered,
             chosen);
        considered_.assign(chosen.begin(), chosen.end());
    }

    /// From the coordinator, always on to the nearest of those that are left.
    std::vector<std::size_t> by_nearness(std::vector<std::size_t> others, std::size_t coordinator) const {
        std::vector<std::size_t> order;
        std::size_t at = coordinator;
        while (!others.empty()) {
            const auto next = std::min_element(others.begin(), others.end(), [&](std::size_t a, std::size_t b) {
                return problem_.one_way_ms(at, a) < problem_.one_way_ms(at, b);
            });
            at = *next;
            order.push_back(at);
            others.erase(next);
        }
        order.push_back(coordinator);
        return order;
    }

    void add_ranked(std::size_t coordinator, const std::vector<std::size_t>& ranked, order_list& out) const {
        const std::size_t most = std::min(ranked.size(), bounds_.max_stages - 1);
        std::size_t feasible = 0;
        for (std::size_t count = 0; count <= most && feasible < 3; ++count) {
            if (count + 1 < bounds_.min_stages) continue;
            std::vector<std::size_t> others(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count));
            auto order = by_nearness(others, coordinator);
            feasible += roomy(order) ? 1 : 0;
            out.push_back(std::move(order));
        }
    }

    /// Room for everything, cuts aside: a quick look before the dynamic programme.
    bool roomy(const std::vector<std::size_t>& order) const {
        std::size_t cut = 0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            cut = problem_.reach(order[at], cut, kind_of(at, order.size()));
        }
        return cut == problem_.units();
    }

    order_list all_starts() const {
        const auto nodes = problem_.nodes();
        order_list out =
            bounds_.min_stages > 1 ? feasible_orders(problem_, bounds_.min_stages) : feasible_orders(problem_);
        for (const std::size_t coordinator : considered_) {
            if (!nodes[coordinator].what.may_coordinate) continue;
            auto others = considered_;
            std::erase(others, coordinator);
            const auto ranked = [&](auto better) {
                std::stable_sort(others.begin(), others.end(), better);
                add_ranked(coordinator, others, out);
            };
            ranked([&](std::size_t a, std::size_t b) { return nodes[a].ms_per_byte < nodes[b].ms_per_byte; });
            ranked([&](std::size_t a, std::size_t b) { return nodes[a].usable > nodes[b].usable; });
            ranked([&](std::size_t a, std::size_t b) {
                return problem_.one_way_ms(coordinator, a) < problem_.one_way_ms(coordinator, b);
            });
        }
        out.push_back(previous_order());
        std::set<std::vector<std::size_t>> seen;
        std::erase_if(out, [&](const auto& order) { return !allowed(order) || !seen.insert(order).second; });
        return out;
    }

    /// Those that are loaded, in the order of what they hold.
    std::vector<std::size_t> previous_order() const {
        std::vector<std::size_t> order;
        for (const std::size_t one : considered_) {
            if (problem_.nodes()[one].loaded) order.push_back(one);
        }
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return problem_.nodes()[a].loaded->first < problem_.nodes()[b].loaded->first;
        });
        return order;
    }

    void improve(cut_chain current) {
        for (;;) {
            std::optional<cut_chain> better;
            for (const auto& order : neighbours(current.order)) {
                if (++looks_ > max_looks) break;
                if (!allowed(order)) continue;
                if (auto found = solver_.solve(order, better ? better->score : current.score)) {
                    better = std::move(found);
                }
            }
            if (!better) break;
            current = std::move(*better);
        }
        if (!best_ || current.score < best_->score) {
            best_ = std::move(current);
        }
    }

    order_list neighbours(const std::vector<std::size_t>& order) const {
        order_list out;
        const std::size_t count = order.size();
        for (std::size_t i = 0; i < count; ++i) {
            auto without = order;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            out.push_back(without);
            for (std::size_t j = 0; j < count; ++j) {
                if (i < j) {
                    out.push_back(order);
                    std::swap(out.back()[i], out.back()[j]);
                }
                if (j != i && j + 1 != i) {  // to between others
                    out.push_back(without);
                    out.back().insert(out.back().begin() + static_cast<std::ptrdiff_t>(j), order[i]);
                }
            }
        }
        for (const std::size_t one : considered_) {
            if (std::find(order.begin(), order.end(), one) != order.end()) continue;
            for (std::size_t i = 0; i <= count; ++i) {
                out.push_back(order);
                out.back().insert(out.back().begin() + static_cast<std::ptrdiff_t>(i), one);
                if (i < count) {
                    out.push_back(order);
                    out.back()[i] = one;
                }
            }
        }
        return out;
    }

    const problem& problem_;
    search_bounds bounds_;
    order_solver solver_;
    std::vector<std::size_t> considered_;
    std::optional<cut_chain> best_;
    std::size_t looks_ = 0;
};

}  // namespace

std::optional<cut_chain> search(const problem& of, objective wanted, search_bounds bounds) {
    return searcher(of, wanted, bounds).run();
}

}  // namespace starling::plan
