// The driver of candidates in the simulated mesh: what they ask for, and what they hear of.
#include "deployment_mesh.hpp"

#include <algorithm>

namespace starling::sim {

using namespace std::chrono_literals;
using namespace deployment;

candidate& deployment_mesh::candidate_of(endpoint who, model m) {
    auto& known = nodes_[who].candidates[m];
    if (!known) {
        known =
            std::make_unique<candidate>(setup{.self = nodes_[who].id,
                                              .want = {.model = "m" + std::to_string(m), .context = 4096, .slots = 4},
                                              .seed = options_.seed * 1000 + draws_++});
        carry_out(who, m, known->members(usable(who), nodes_[who].version, now_));
        for (const auto& [other, v] : nodes_[who].views) {
            if (v.alive && v.last && v.last->told.count(m) != 0) {
                carry_out(who, m, known->heard(nodes_[other].id, v.last->told.at(m), now_));
            }
        }
    }
    return *known;
}

void deployment_mesh::carry_out(endpoint who, model m, actions todo) {
    for (action& a : todo) {
        if (auto* said = std::get_if<announce>(&a)) {
            note(who, m,
                 "says " + std::string(to_string(said->what.state)) + " t" + std::to_string(said->what.by.term) + " e" +
                     std::to_string(said->what.by.epoch) + " " + said->what.reason);
            nodes_[who].told[m] = std::move(said->what);
            tell_soon(who);
        } else if (std::holds_alternative<withdraw>(a)) {
            note(who, m, "withdraws");
            nodes_[who].told.erase(m);
            tell_soon(who);
        } else if (const auto* ask = std::get_if<deployment::make_plan>(&a)) {
            answer_plan(who, m, *ask);
        } else if (const auto* wanted = std::get_if<open_stages>(&a)) {
            count_open(who, m);
            for (const stage& one : wanted->stages) {
                open(who, m, wanted->by, one);
            }
        } else if (const auto* last = std::get_if<load_last>(&a)) {
            open(who, m, last->by, {nodes_[who].id, last->layers});
        } else if (const auto* over = std::get_if<close_stages>(&a)) {
            close(who, m, over->epoch);
        } else if (const auto* route = std::get_if<publish_route>(&a)) {
            note(who, m, "PUBLISHES");
            ++publications;
            nodes_[who].routes[m] = route->by;
        } else if (std::holds_alternative<withdraw_route>(a)) {
            note(who, m, "withdraws the route");
            nodes_[who].routes.erase(m);
        } else {
            ++stand_downs;
        }
    }
    wake_later(who);
}

void deployment_mesh::answer_plan(endpoint who, model m, const deployment::make_plan& ask) {
    after(between(1ms, 50ms), [this, who, m, ask, life = nodes_[who].life] {
        if (!nodes_[who].up || nodes_[who].life != life) {
            return;
        }
        std::map<endpoint, std::uint32_t> free{{who, free_for(who, m)}};
        for (const auto& [other, v] : nodes_[who].views) {
            const auto& id = nodes_[other].id;
            if (v.alive && v.last && !v.last->leaving &&
                std::find(ask.avoid.begin(), ask.avoid.end(), id) == ask.avoid.end()) {
                free[other] = v.last->free[m];
            }
        }
        carry_out(who, m, nodes_[who].candidates.at(m)->plan_made(ask.ticket, make_plan(who, m, free), now_));
    });
}

/// The coordinator takes all it can, then those with the most memory.
plan_answer deployment_mesh::make_plan(endpoint who, model m, const std::map<endpoint, std::uint32_t>& free) const {
    const std::uint32_t layers = options_.layers[m];
    std::vector<std::pair<std::uint32_t, endpoint>> others;
    std::uint32_t total = 0;
    for (const auto& [other, units] : free) {
        total += units;
        if (other != who && units > 0) {
            others.emplace_back(units, other);
        }
    }
    const std::uint32_t own = std::min(free.at(who), layers);
    if (total < layers || own == 0 || nodes_[who].without_file.count(m) != 0) {
        return {.reason = "needs " + std::to_string(layers) + ", has " + std::to_string(total)};
    }
    std::sort(others.rbegin(), others.rend());
    plan_answer out;
    std::uint32_t next = 0;
    for (const auto& [units, other] : others) {
        const std::uint32_t part = std::min(units, layers - own - next);
        if (part != 0) {
            out.stages.push_back({nodes_[other].id, {next, next + part}});
            next += part;
        }
    }
    out.stages.push_back({nodes_[who].id, {next, layers}});
    return out;
}

void deployment_mesh::count_open(endpoint who, model m) {
    ++opens;
    auto& times = opened_at_[{who, m}];
    std::erase_if(times, [&](time_point at) { return now_ - at > 1min; });
    times.push_back(now_);
    most_opens_in_a_minute = std::max(most_opens_in_a_minute, times.size());
}

const candidate* deployment_mesh::candidate_at(endpoint who, model m) const {
    const auto found = nodes_[who].candidates.find(m);
    return found == nodes_[who].candidates.end() ? nullptr : found->second.get();
}

std::optional<claim> deployment_mesh::published(endpoint who, model m) const {
    const auto found = nodes_[who].routes.find(m);
    return found == nodes_[who].routes.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::tuple<endpoint, model, claim>> deployment_mesh::routes() const {
    std::vector<std::tuple<endpoint, model, claim>> out;
    for (endpoint who = 0; who < nodes_.size(); ++who) {
        for (const auto& [m, by] : nodes_[who].routes) {
            out.emplace_back(who, m, by);
        }
    }
    return out;
}

std::vector<endpoint> deployment_mesh::publishers(model m) const {
    std::vector<endpoint> out;
    for (endpoint who = 0; who < nodes_.size(); ++who) {
        if (nodes_[who].up && nodes_[who].routes.count(m) != 0) {
            out.push_back(who);
        }
    }
    return out;
}

}  // namespace starling::sim
