// Time, membership and statuses of the simulated mesh.
#include "deployment_mesh.hpp"

#include <algorithm>
#include <cstdio>

namespace starling::sim {

using namespace std::chrono_literals;
using namespace deployment;

namespace {

constexpr auto told_again = 2s;
constexpr auto told_within = 500ms;
constexpr auto most_latency = 100ms;
constexpr std::size_t story_length = 400;

}  // namespace

deployment_mesh::deployment_mesh(deployment_options options) : options_(std::move(options)) {}

// --- time ---

void deployment_mesh::after(duration delay, std::function<void()> run) {
    events_.push({now_ + delay, order_++, std::move(run)});
}

duration deployment_mesh::between(duration least, duration most) {
    return least + duration(static_cast<duration::rep>(fraction() * static_cast<double>((most - least).count())));
}

void deployment_mesh::run_for(duration time) {
    const time_point end = now_ + time;
    while (!events_.empty() && events_.top().at <= end) {
        const event e = events_.top();
        events_.pop();
        now_ = e.at;
        e.run();
    }
    now_ = end;
}

std::optional<duration> deployment_mesh::run_until(const std::function<bool()>& done, duration patience) {
    const time_point begin = now_;
    while (now_ - begin <= patience) {
        if (done()) {
            return now_ - begin;
        }
        run_for(250ms);
    }
    return std::nullopt;
}

/// One timer for all of a node's machines.
void deployment_mesh::wake_later(endpoint who) {
    node& n = nodes_[who];
    time_point next = time_point::max();
    for (const auto& [m, c] : n.candidates) {
        next = std::min(next, c->next_tick());
    }
    for (const auto& [m, l] : n.leases) {
        next = std::min(next, l.next_tick());
    }
    if (next < n.next_wake) {
        n.next_wake = next;
        after(std::max<duration>(next - now_, 1ms), [this, who, life = n.life, next] {
            if (nodes_[who].up && nodes_[who].life == life && nodes_[who].next_wake == next) {
                nodes_[who].next_wake = time_point::max();
                wake(who);
            }
        });
    }
}

void deployment_mesh::wake(endpoint who) {
    for (model m = 0; m < options_.layers.size(); ++m) {
        if (const auto c = nodes_[who].candidates.find(m); c != nodes_[who].candidates.end()) {
            carry_out(who, m, c->second->tick(now_));
        }
        if (const auto l = nodes_[who].leases.find(m); l != nodes_[who].leases.end()) {
            carry_out(who, m, l->second.tick(now_));
        }
    }
    wake_later(who);
}

void deployment_mesh::note(endpoint who, model m, std::string what) {
    char head[64];
    std::snprintf(head, sizeof head, "%9.3f node %zu model %zu ",
                  std::chrono::duration<double>(now_.time_since_epoch() - 1h).count(), who, m);
    story_.push_back(head + std::move(what));
    if (story_.size() > 2 * story_length) {
        story_.erase(story_.begin(), story_.begin() + story_length);
    }
}

std::string deployment_mesh::story() const {
    std::string out;
    for (const auto& line : story_) {
        out += line + '\n';
    }
    return out;
}

void deployment_mesh::violate(const std::string& what) {
    note(0, 0, "VIOLATION " + what);
    violations_.push_back(what);
}

// --- nodes ---

endpoint deployment_mesh::add(std::uint32_t memory) {
    const endpoint who = nodes_.size();
    node n;
    for (auto& byte : n.id.bytes) {
        byte = static_cast<std::uint8_t>(below(256));
    }
    n.memory = memory;
    by_id_[n.id] = who;
    nodes_.push_back(std::move(n));
    restart(who);
    return who;
}

void deployment_mesh::name(endpoint who, model m) {
    nodes_[who].named.insert(m);
    if (nodes_[who].up && !nodes_[who].leaving) {
        carry_out(who, m, candidate_of(who, m).start(now_));
    }
}

void deployment_mesh::restart(endpoint who) {
    if (nodes_[who].up) {
        return;
    }
    topology_changed([&] { nodes_[who].up = true; });
    nodes_[who].leaving = false;
    ++nodes_[who].life;
    note(who, 0, "STARTS");
    tell_loop(who, nodes_[who].life);
    for (const model m : nodes_[who].named) {
        carry_out(who, m, candidate_of(who, m).start(now_));
    }
}

void deployment_mesh::crash(endpoint who) {
    if (!nodes_[who].up) {
        return;
    }
    note(who, 0, "ENDS");
    topology_changed([&] { nodes_[who].up = false; });
    node& n = nodes_[who];
    n.candidates.clear();
    n.leases.clear();
    n.memory_of.clear();
    n.told.clear();
    n.lies.clear();
    n.routes.clear();
    n.views.clear();
    n.tell_planned = false;
    n.next_wake = time_point::max();
}

void deployment_mesh::leave(endpoint who) {
    node& n = nodes_[who];
    if (!n.up || n.leaving) {
        return;
    }
    note(who, 0, "LEAVES");
    n.leaving = true;
    for (model m = 0; m < options_.layers.size(); ++m) {
        if (const auto l = n.leases.find(m); l != n.leases.end()) {
            if (const auto by = l->second.holder(); by && by->coordinator != n.id) {
                carry_out(who, m, l->second.leave(now_));
            }
        }
        if (const auto c = n.candidates.find(m); c != n.candidates.end()) {
            carry_out(who, m, c->second->stop(farewell::hand_over, now_));
        }
    }
    tell(who);
    wake_later(who);
    finish_leaving(who, n.life, 40);
}

void deployment_mesh::finish_leaving(endpoint who, std::uint64_t life, int left) {
    if (!nodes_[who].up || nodes_[who].life != life) {
        return;
    }
    const auto& all = nodes_[who].candidates;
    const bool done = std::all_of(all.begin(), all.end(),
                                  [](const auto& c) { return c.second->state() == candidate_state::stopped; });
    if (!done && left == 0) {
        violate("a candidate does not stop");
    }
    if (done || left == 0) {
        crash(who);
        return;
    }
    after(200ms, [this, who, life, left] { finish_leaving(who, life, left - 1); });
}

// --- who reaches whom ---

bool deployment_mesh::linked(endpoint a, endpoint b) const {
    return nodes_[a].up && nodes_[b].up && nodes_[a].group == nodes_[b].group &&
           cuts_.count({std::min(a, b), std::max(a, b)}) == 0;
}

/// Streams over what is no longer linked break, and membership finds out on each side in its own time.
void deployment_mesh::topology_changed(const std::function<void()>& change) {
    const std::size_t count = nodes_.size();
    std::vector<bool> before(count * count);
    for (endpoint a = 0; a < count; ++a) {
        for (endpoint b = 0; b < count; ++b) {
            before[a * count + b] = a != b && linked(a, b);
        }
    }
    std::vector<stream_number> up;
    for (const auto& [id, s] : streams_) {
        if (s.from == s.to || linked(s.from, s.to)) {
            up.push_back(id);
        }
    }
    change();
    for (const stream_number id : up) {
        const stream& s = streams_[id];
        if (s.from != s.to && !linked(s.from, s.to)) {
            broken(id);
        }
    }
    for (endpoint a = 0; a < count; ++a) {
        for (endpoint b = 0; b < count; ++b) {
            const bool now_linked = a != b && linked(a, b);
            if (now_linked != before[a * count + b]) {
                after(now_linked ? between(0ms, 2s) : between(2s, 6s), [this, a, b, now_linked] {
                    if (nodes_[a].up && linked(a, b) == now_linked) {
                        see(a, b, now_linked);
                    }
                });
            }
        }
    }
}

void deployment_mesh::part(const std::vector<int>& groups) {
    note(0, 0, "PARTITION");
    topology_changed([&] {
        for (endpoint who = 0; who < nodes_.size(); ++who) {
            nodes_[who].group = groups[who % groups.size()];
        }
    });
}

void deployment_mesh::cut(endpoint a, endpoint b) {
    note(a, 0, "CUT FROM " + std::to_string(b));
    topology_changed([&] { cuts_.insert({std::min(a, b), std::max(a, b)}); });
}

void deployment_mesh::heal() {
    note(0, 0, "HEALED");
    topology_changed([&] {
        cuts_.clear();
        for (node& n : nodes_) {
            n.group = 0;
        }
    });
}

void deployment_mesh::heal_cuts() {
    topology_changed([&] { cuts_.clear(); });
}

void deployment_mesh::see(endpoint who, endpoint other, bool alive) {
    view& v = nodes_[who].views[other];
    if (v.alive == alive) {
        return;
    }
    v.alive = alive;
    if (alive) {  // whoever finds each other tells each other
        after(between(0ms, most_latency), [this, other, life = nodes_[other].life] {
            if (nodes_[other].up && nodes_[other].life == life) {
                tell(other);
            }
        });
    }
    if (!alive && v.last) {
        v.last.reset();
        for (auto& [m, c] : nodes_[who].candidates) {
            carry_out(who, m, c->claim_gone(nodes_[other].id, parting::dead, now_));
        }
    }
    members_changed(who);
}

// --- statuses ---

void deployment_mesh::tell_soon(endpoint who) {
    if (!nodes_[who].tell_planned) {
        nodes_[who].tell_planned = true;
        after(between(0ms, told_within - most_latency), [this, who, life = nodes_[who].life] {
            if (nodes_[who].up && nodes_[who].life == life) {
                nodes_[who].tell_planned = false;
                tell(who);
            }
        });
    }
}

void deployment_mesh::tell_loop(endpoint who, std::uint64_t life) {
    if (nodes_[who].up && nodes_[who].life == life) {
        tell(who);
        after(told_again, [this, who, life] { tell_loop(who, life); });
    }
}

void deployment_mesh::tell(endpoint who) {
    const node& n = nodes_[who];
    const auto what = std::make_shared<status>();
    what->told = n.told;
    for (const auto& [m, lie] : n.lies) {
        what->told[m] = lie;
    }
    what->leaving = n.leaving;
    for (model m = 0; m < options_.layers.size(); ++m) {
        what->free.push_back(free_for(who, m));
    }
    for (endpoint to = 0; to < nodes_.size(); ++to) {
        if (to == who || !linked(who, to) || fraction() < options_.loss) {
            continue;
        }
        view& v = nodes_[to].views[who];
        v.last_delivery = std::max(v.last_delivery, now_ + between(1ms, most_latency));
        after(v.last_delivery - now_, [this, who, to, what, life = n.life, to_life = nodes_[to].life] {
            if (linked(who, to) && nodes_[who].life == life && nodes_[to].life == to_life) {
                hear(to, who, *what);
            }
        });
    }
}

void deployment_mesh::hear(endpoint who, endpoint from, const status& what) {
    view& v = nodes_[who].views[from];
    if (!v.alive) {
        return;
    }
    const auto before = std::exchange(v.last, what);
    if (!before || before->free != what.free || before->leaving != what.leaving) {
        members_changed(who);
    }
    const bool only_news = options_.seed % 2 == 0;
    for (model m = 0; m < options_.layers.size(); ++m) {
        const auto c = nodes_[who].candidates.find(m);
        if (c == nodes_[who].candidates.end()) {
            continue;
        }
        const auto said = what.told.find(m);
        const bool was_said = before && before->told.count(m) != 0;
        if (said == what.told.end()) {
            if (was_said) {
                carry_out(who, m, c->second->claim_gone(nodes_[from].id, parting::withdrawn, now_));
            }
        } else if (!only_news || !was_said || !(before->told.at(m) == said->second)) {
            carry_out(who, m, c->second->heard(nodes_[from].id, said->second, now_));
        }
    }
    const auto& views = nodes_[who].views;
    const bool all =
        std::all_of(views.begin(), views.end(), [](const auto& one) { return !one.second.alive || one.second.last; });
    for (auto& [m, c] : nodes_[who].candidates) {
        if (all) {
            carry_out(who, m, c->everybody_heard(now_));
        }
    }
}

std::vector<node_id> deployment_mesh::usable(endpoint who) const {
    std::vector<node_id> out;
    for (const auto& [other, v] : nodes_[who].views) {
        if (v.alive && v.last && !v.last->leaving) {
            out.push_back(nodes_[other].id);
        }
    }
    return out;
}

void deployment_mesh::members_changed(endpoint who) {
    ++nodes_[who].version;
    for (auto& [m, c] : nodes_[who].candidates) {
        carry_out(who, m, c->members(usable(who), nodes_[who].version, now_));
    }
}

void deployment_mesh::lie(endpoint who, model m, std::optional<announcement> what) {
    if (!nodes_[who].up) {
        return;
    }
    if (what) {
        nodes_[who].lies[m] = std::move(*what);
    } else {
        nodes_[who].lies.erase(m);
    }
    tell_soon(who);
}

}  // namespace starling::sim
