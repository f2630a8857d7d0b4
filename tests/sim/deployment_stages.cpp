// Streams, leases and memory of the simulated mesh; what its observer checks.
#include "deployment_mesh.hpp"

#include <algorithm>

namespace starling::sim {

using namespace std::chrono_literals;
using namespace deployment;

// --- streams ---

void deployment_mesh::open(endpoint who, model m, const claim& by, const stage& where) {
    const stream_number id = ++last_stream_;
    stream s;
    s.what = m;
    s.by = by;
    s.asked = {where.layers, 4096, 4};
    s.from = who;
    s.to = endpoint_of(where.node);
    s.from_life = nodes_[s.from].life;
    s.to_life = nodes_[s.to].life;
    streams_[id] = s;
    if (s.from != s.to && !linked(s.from, s.to)) {
        broken(id);
        return;
    }
    there(id, [this, id] {
        stream& open = streams_[id];
        if (nodes_[open.to].leaving && open.from != open.to) {
            here(id, [this, id] {
                stream& refused = streams_[id];
                refused.open_here = false;
                carry_out(
                    refused.from, refused.what,
                    nodes_[refused.from]
                        .candidates.at(refused.what)
                        ->stage_failed(nodes_[refused.to].id, refused.by.epoch, {.kind = trouble_kind::leaving}, now_));
            });
            return;
        }
        open.open_there = true;
        const auto to = open.to;
        const auto what = open.what;
        const claim asked_by = open.by;
        carry_out(to, what, nodes_[to].leases[what].open(id, asked_by, open.asked, now_));
        if (nodes_[to].leases[what].holder() == asked_by && !nodes_[to].leaving) {
            carry_out(to, what, candidate_of(to, what).inherit(now_));
        }
    });
}

void deployment_mesh::close(endpoint who, model m, epoch_number epoch) {
    for (auto& [id, s] : streams_) {
        if (s.from == who && s.from_life == nodes_[who].life && s.what == m && s.by.epoch == epoch && s.open_here) {
            s.open_here = false;
            there(id, [this, id = id] {
                stream& over = streams_[id];
                if (over.open_there) {
                    over.open_there = false;
                    over.granted = false;
                    carry_out(over.to, over.what, nodes_[over.to].leases[over.what].stream_ended(id, now_));
                }
            });
        }
    }
}

/// To the stage's side, in order; lost where the way is no longer open.
void deployment_mesh::there(stream_number id, std::function<void()> run) {
    stream& s = streams_[id];
    const duration delay = s.from == s.to ? duration(1ms) : between(1ms, 100ms);
    s.last_there = std::max(s.last_there + 1us, now_ + delay);
    after(s.last_there - now_, [this, id, run = std::move(run)] {
        const stream& now_open = streams_[id];
        const bool same_lives = nodes_[now_open.to].life == now_open.to_life && nodes_[now_open.to].up;
        if (same_lives && !now_open.dead && (now_open.from == now_open.to || linked(now_open.from, now_open.to))) {
            run();
        }
    });
}

/// To the coordinator's side.
void deployment_mesh::here(stream_number id, std::function<void()> run) {
    stream& s = streams_[id];
    const duration delay = s.from == s.to ? duration(1ms) : between(1ms, 100ms);
    s.last_here = std::max(s.last_here + 1us, now_ + delay);
    after(s.last_here - now_, [this, id, run = std::move(run)] {
        const stream& now_open = streams_[id];
        const bool same_lives = nodes_[now_open.from].life == now_open.from_life && nodes_[now_open.from].up;
        if (same_lives && !now_open.dead && now_open.open_here &&
            (now_open.from == now_open.to || linked(now_open.from, now_open.to))) {
            run();
        }
    });
}

/// Each side notices by itself.
void deployment_mesh::broken(stream_number id) {
    streams_[id].dead = true;
    after(between(50ms, 3s), [this, id] {
        stream& s = streams_[id];
        if (s.open_here && nodes_[s.from].up && nodes_[s.from].life == s.from_life) {
            s.open_here = false;
            carry_out(s.from, s.what,
                      nodes_[s.from].candidates.at(s.what)->stage_failed(nodes_[s.to].id, s.by.epoch,
                                                                         {.kind = trouble_kind::lost}, now_));
        }
    });
    after(between(50ms, 3s), [this, id] {
        stream& s = streams_[id];
        if (s.open_there && nodes_[s.to].up && nodes_[s.to].life == s.to_life) {
            s.open_there = false;
            s.granted = false;
            carry_out(s.to, s.what, nodes_[s.to].leases[s.what].stream_ended(id, now_));
        }
    });
}

// --- stages ---

std::uint32_t deployment_mesh::used(endpoint who) const {
    std::uint32_t sum = 0;
    for (const auto& [m, r] : nodes_[who].memory_of) {
        sum += r.layers.end - r.layers.first;
    }
    return sum;
}

/// What other models leave, with what they would give up at once.
std::uint32_t deployment_mesh::free_for(endpoint who, model m) const {
    const node& n = nodes_[who];
    std::uint32_t taken = 0;
    for (const auto& [other, r] : n.memory_of) {
        const auto l = n.leases.find(other);
        if (other != m && l != n.leases.end() && l->second.connected()) {
            taken += r.layers.end - r.layers.first;
        }
    }
    return n.memory - std::min(n.memory, taken);
}

void deployment_mesh::carry_out(endpoint who, model m, lease::actions todo) {
    for (const lease::action& a : todo) {
        if (const auto* wanted = std::get_if<lease::load>(&a)) {
            load(who, m, *wanted);
        } else if (std::holds_alternative<lease::unload>(a)) {
            nodes_[who].memory_of.erase(m);
            tell_soon(who);
        } else if (const auto* ready = std::get_if<lease::say_ready>(&a)) {
            check_grant(who, m, ready->stream);
            here(ready->stream, [this, id = ready->stream] {
                const stream& s = streams_[id];
                carry_out(s.from, s.what,
                          nodes_[s.from].candidates.at(s.what)->stage_ready(nodes_[s.to].id, s.by.epoch, now_));
            });
        } else if (const auto* away = std::get_if<lease::turn_away>(&a)) {
            stream& refused = streams_[away->stream];
            refused.open_there = false;
            refused.granted = false;
            note(who, m, std::string("turns away ") + to_string(away->why.kind));
            here(away->stream, [this, id = away->stream, why = away->why] {
                stream& s = streams_[id];
                s.open_here = false;
                carry_out(s.from, s.what,
                          nodes_[s.from].candidates.at(s.what)->stage_failed(nodes_[s.to].id, s.by.epoch, why, now_));
            });
        }
    }
    tell_soon(who);
    wake_later(who);
}

void deployment_mesh::load(endpoint who, model m, const lease::load& what) {
    const std::uint32_t units = what.what.layers.end - what.what.layers.first;
    for (model other = 0; other < options_.layers.size(); ++other) {
        if (const auto l = nodes_[who].leases.find(other);
            other != m && l != nodes_[who].leases.end() && used(who) + units > nodes_[who].memory) {
            carry_out(who, other, l->second.evict(now_));
        }
    }
    const auto fail = [&](trouble_kind why, duration delay) {
        after(delay, [this, who, m, why, ticket = what.ticket, life = nodes_[who].life] {
            if (nodes_[who].up && nodes_[who].life == life) {
                carry_out(who, m, nodes_[who].leases[m].load_failed(ticket, why, now_));
            }
        });
    };
    if (nodes_[who].without_file.count(m) != 0) {
        fail(trouble_kind::no_file, 0ms);
        return;
    }
    if (used(who) + units > nodes_[who].memory) {
        fail(trouble_kind::memory, 0ms);
        return;
    }
    nodes_[who].memory_of[m] = {what.ticket, what.what.layers, false};
    if (used(who) > nodes_[who].memory) {
        violate("memory is oversubscribed");
    }
    const duration time = between(200ms, options_.longest_load);
    if (fraction() < options_.broken_loads) {
        fail(trouble_kind::failed, time);
        return;
    }
    after(time, [this, who, m, ticket = what.ticket, life = nodes_[who].life] {
        if (!nodes_[who].up || nodes_[who].life != life) {
            return;
        }
        if (const auto r = nodes_[who].memory_of.find(m);
            r != nodes_[who].memory_of.end() && r->second.ticket == ticket) {
            r->second.loaded = true;
        }
        carry_out(who, m, nodes_[who].leases[m].loaded(ticket, now_));
    });
}

// --- the observer ---

void deployment_mesh::check_grant(endpoint who, model m, stream_number id) {
    stream& granted = streams_[id];
    granted.granted = true;
    const auto r = nodes_[who].memory_of.find(m);
    if (r == nodes_[who].memory_of.end() || !r->second.loaded || !(r->second.layers == granted.asked.layers)) {
        violate("a stage says that it is ready and has not loaded what was asked for");
    }
    for (const auto& [other, s] : streams_) {
        if (other != id && s.granted && s.to == who && s.to_life == nodes_[who].life && s.what == m) {
            violate("a stage serves two claims of one model");
        }
    }
}

std::string deployment_mesh::incomplete(endpoint who, model m) const {
    const auto* c = candidate_at(who, m);
    if (c == nullptr || c->state() != candidate_state::serving) {
        return "a route without a coordinator that serves";
    }
    for (const stage& one : c->stages()) {
        const node& n = nodes_[by_id_.at(one.node)];
        const auto l = n.leases.find(m);
        const auto r = n.memory_of.find(m);
        if (!n.up || l == n.leases.end() || l->second.holder() != c->own_claim() || !l->second.connected() ||
            r == n.memory_of.end() || !r->second.loaded || !(r->second.layers == one.layers)) {
            return "a stage of node " + std::to_string(by_id_.at(one.node)) + " is missing";
        }
    }
    return {};
}

std::string deployment_mesh::unrest_of(model m, const std::vector<endpoint>& component) const {
    const std::string where = "model " + std::to_string(m) + " among " + std::to_string(component.size()) + " nodes: ";
    std::map<endpoint, std::uint32_t> free;
    for (const endpoint who : component) {
        free[who] = nodes_[who].without_file.count(m) != 0 ? 0 : free_for(who, m);
    }
    std::size_t routes = 0;
    std::size_t claims = 0;
    std::size_t starved = 0;
    bool wanted = false;
    bool fits = false;
    for (const endpoint who : component) {
        const auto* c = candidate_at(who, m);
        if (c == nullptr) {
            continue;
        }
        claims += c->own_claim() ? 1 : 0;
        starved += c->state() == candidate_state::starved && !c->reason().empty() ? 1 : 0;
        if (c->may_claim()) {
            wanted = true;
            fits = fits || !make_plan(who, m, free).stages.empty();
        }
        if (nodes_[who].routes.count(m) != 0) {
            ++routes;
            if (const auto what = incomplete(who, m); !what.empty()) {
                return where + what;
            }
        }
    }
    if (!wanted && claims == 0) {
        return {};
    }
    if (claims != 1) {
        return where + std::to_string(claims) + " claims";
    }
    if (routes == 1 || (!fits && starved == 1)) {
        return {};
    }
    return where + (fits ? "fits and is not served" : "does not fit and nobody says so");
}

std::string deployment_mesh::unrest() const {
    std::vector<bool> seen(nodes_.size());
    for (endpoint first = 0; first < nodes_.size(); ++first) {
        if (!nodes_[first].up || seen[first]) {
            continue;
        }
        std::vector<endpoint> component{first};
        seen[first] = true;
        for (std::size_t i = 0; i < component.size(); ++i) {
            for (endpoint other = 0; other < nodes_.size(); ++other) {
                if (!seen[other] && other != component[i] && linked(component[i], other)) {
                    seen[other] = true;
                    component.push_back(other);
                }
            }
        }
        for (model m = 0; m < options_.layers.size(); ++m) {
            if (auto what = unrest_of(m, component); !what.empty()) {
                return what;
            }
        }
    }
    return {};
}

}  // namespace starling::sim
