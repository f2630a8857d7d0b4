#include "membership_mesh.hpp"

#include <algorithm>
#include <cstring>

namespace starling::sim {

namespace {

using membership::member_state;

constexpr std::size_t signature_bytes = 64;  // Ed25519
constexpr auto look_every = std::chrono::milliseconds(100);
constexpr std::size_t index_at = 16;  // where a simulated id carries its endpoint; the rest is as random as a key

node_id make_id(std::uint64_t seed, endpoint who) {
    node_id id;
    for (std::size_t i = 0; i < id.bytes.size(); i += 16) {
        const auto block = philox4x32(seed, (static_cast<std::uint64_t>(who) << 8) + i);
        std::memcpy(id.bytes.data() + i, block.data(), 16);
    }
    std::memcpy(id.bytes.data() + index_at, &who, sizeof who);
    return id;
}

bool is_live(member_state state) {
    return state == member_state::alive || state == member_state::suspect;
}

bool is_sync(const membership::message& m) {
    return std::holds_alternative<membership::sync_request>(m) || std::holds_alternative<membership::sync_digest>(m) ||
           std::holds_alternative<membership::sync_records>(m);
}

}  // namespace

membership_mesh::membership_mesh(const mesh_options& options) : options_(options), net_(options.seed) {
    net_.set_weather(options.air);
    net_.on_wake([this](endpoint who) {
        if (is_up(who) && !nodes_[who].suspended) {
            carry_out(who, nodes_[who].detector->tick(local(who)));
        }
    });
    net_.on_receive([this](endpoint from, endpoint to, const membership::message& m) {
        if (is_up(to) && !nodes_[to].suspended) {
            carry_out(to, nodes_[to].detector->receive(nodes_[from].id, m, local(to)));
        }
    });
}

time_point membership_mesh::local(endpoint who) const {
    const auto& n = nodes_[who];
    const auto run = static_cast<double>(net_.now().time_since_epoch().count()) * n.clock_rate;
    return time_point(duration(static_cast<duration::rep>(run)) + n.clock_offset);
}

time_point membership_mesh::global(endpoint who, time_point at) const {
    const auto& n = nodes_[who];
    const auto run = static_cast<double>((at.time_since_epoch() - n.clock_offset).count()) / n.clock_rate;
    return time_point(duration(static_cast<duration::rep>(run)));
}

endpoint membership_mesh::endpoint_of(const node_id& id) const {
    endpoint who = 0;
    std::memcpy(&who, id.bytes.data() + index_at, sizeof who);
    return who;
}

endpoint membership_mesh::add() {
    const auto who = static_cast<endpoint>(nodes_.size());
    node& n = nodes_.emplace_back();
    n.id = make_id(options_.seed, who);
    n.clock_rate = 1.0 + (net_.fraction() * 2.0 - 1.0) * options_.clock_skew;
    if (options_.clock_skew > 0.0) {
        n.clock_offset = std::chrono::duration_cast<duration>(std::chrono::duration<double>(net_.fraction() * 1e6));
    }
    start(who, 1);
    return who;
}

void membership_mesh::start(endpoint who, membership::incarnation_number incarnation) {
    node& n = nodes_[who];
    ++n.lives;
    auto created = membership::detector::create(
        {.self = n.id,
         .payload = membership::byte_string(options_.payload_bytes, static_cast<std::byte>(n.lives)),
         .incarnation = incarnation,
         .sign = [](const membership::record&) { return membership::byte_string(signature_bytes); },
         .seed = philox4x32(options_.seed, (static_cast<std::uint64_t>(who) << 20) + n.lives)[0]},
        local(who));
    n.detector = std::make_unique<membership::detector>(std::move(*created));
    membership::actions todo;
    if (const auto contact = random_up(who)) {
        todo = n.detector->join(nodes_[*contact].id, local(who));
    }
    carry_out(who, std::move(todo));
}

std::optional<endpoint> membership_mesh::random_up(endpoint except) {
    std::vector<endpoint> up;
    for (endpoint who = 0; who < nodes_.size(); ++who) {
        if (who != except && is_up(who)) {
            up.push_back(who);
        }
    }
    if (up.empty()) {
        return std::nullopt;
    }
    return up[static_cast<std::size_t>(net_.fraction() * static_cast<double>(up.size()))];
}

bool membership_mesh::form(std::size_t count, duration within, duration patience) {
    for (std::size_t i = 0; i < count; ++i) {
        add();
        run_for(within / static_cast<duration::rep>(count));
    }
    return run_until([&] { return agrees(); }, patience).has_value();
}

void membership_mesh::crash(endpoint who) {
    nodes_[who].detector.reset();
}

void membership_mesh::restart(endpoint who, memory m) {
    const auto last = is_up(who) ? at(who).own().incarnation : nodes_[who].lives * 1000;
    start(who, m == memory::kept ? last + 1 : 1);
}

void membership_mesh::resume(endpoint who) {
    nodes_[who].suspended = false;
    carry_out(who, nodes_[who].detector->tick(local(who)));
}

void membership_mesh::leave(endpoint who) {
    carry_out(who, nodes_[who].detector->leave(local(who)));
}

std::optional<duration> membership_mesh::run_until(const std::function<bool()>& done, duration patience) {
    const auto start = net_.now();
    while (!done()) {
        if (net_.now() - start >= patience) {
            return std::nullopt;
        }
        run_for(look_every);
    }
    return net_.now() - start;
}

void membership_mesh::carry_out(endpoint who, membership::actions todo) {
    for (auto& action : todo) {
        if (auto* s = std::get_if<membership::send>(&action)) {
            transmit(who, std::move(*s));
        } else {
            observe(who, std::get<membership::member_changed>(action));
        }
    }
    const auto next = nodes_[who].detector->next_tick();
    if (next != time_point::max()) {
        net_.wake_at(who, global(who, next));
    }
}

void membership_mesh::transmit(endpoint who, membership::send s) {
    const auto bytes = membership::estimated_bytes(s.message);
    const auto headers = membership::message_overhead_bytes * (1 + bytes / membership::datagram_bytes);
    const auto by = is_sync(s.message) ? carriage::stream : carriage::datagram;
    if (by == carriage::datagram) {
        largest_datagram = std::max(largest_datagram, bytes + headers);
    }
    ++sent_messages;
    sent_bytes += bytes + headers;
    nodes_[who].sent_bytes += bytes + headers;
    net_.send(who, endpoint_of(s.to), std::move(s.message), by);
}

void membership_mesh::observe(endpoint who, const membership::member_changed& change) {
    const auto whom = endpoint_of(change.id);
    if (change.after == change.before || !is_up(whom) || whom == who) {
        return;
    }
    const std::pair pair{who, whom};
    if (change.after == member_state::dead) {
        ++false_deaths;
        dead_since_[pair] = net_.now();
    } else if (const auto found = dead_since_.find(pair); found != dead_since_.end()) {
        longest_false_death = std::max(longest_false_death, net_.now() - found->second);
        dead_since_.erase(found);
    }
    suspicions += change.after == member_state::suspect ? 1 : 0;
}

std::size_t membership_mesh::up_count() const {
    return static_cast<std::size_t>(
        std::count_if(nodes_.begin(), nodes_.end(), [](const node& n) { return n.detector != nullptr; }));
}

std::size_t membership_mesh::count_gone(endpoint who) const {
    std::size_t gone = 0;
    for (endpoint other = 0; other < nodes_.size(); ++other) {
        if (other != who && is_up(other)) {
            const auto seen = at(other).find(nodes_[who].id);
            gone += !seen || !is_live(seen->state) ? 1 : 0;
        }
    }
    return gone;
}

bool membership_mesh::agrees() const {
    const auto up = up_count();
    for (const node& n : nodes_) {
        if (n.detector && n.detector->live_count() + 1 != up) {
            return false;
        }
    }
    return nobody_up_is_dead();
}

bool membership_mesh::nobody_up_is_dead() const {
    for (const node& observer : nodes_) {
        if (!observer.detector) {
            continue;
        }
        for (const auto& m : observer.detector->members()) {
            if (m.state == member_state::dead && is_up(endpoint_of(m.record->id))) {
                return false;
            }
        }
    }
    return true;
}

void membership_mesh::forget_traffic() {
    sent_bytes = 0;
    sent_messages = 0;
    for (node& n : nodes_) {
        n.sent_bytes = 0;
    }
}

std::uint64_t membership_mesh::most_sent_by_one() const {
    std::uint64_t most = 0;
    for (const node& n : nodes_) {
        most = std::max(most, n.sent_bytes);
    }
    return most;
}

}  // namespace starling::sim
