#include "node/plan_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

namespace starling::node {

namespace {

// Free memory moves all the time; only steps of this size are news.
constexpr std::uint64_t memory_step = 256ULL << 20;

bool has_whole(const peers::node_offer& offer, const std::string& content) {
    return std::any_of(offer.files.begin(), offer.files.end(), [&](const peers::told_file& one) {
        return one.content == content && one.first_layer == 0 && one.end_layer == one.layers;
    });
}

double ms_of(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

void add_version(std::uint64_t& into, std::uint64_t what) {
    into = (into ^ what) * 0x9E3779B97F4A7C15ULL;
    into ^= into >> 29;
}

}  // namespace

plan_inputs gather_plan_inputs(const split_parts& in, const peers::node_offer& own, const std::string& content,
                               const taken_bytes& taken) {
    plan_inputs out;
    const auto add = [&](const node_id& id, const std::string& name, const peers::node_offer& offer) {
        plan::machine machine;
        machine.id = id;
        machine.name = name;
        machine.free_bytes = offer.memory_bytes;
        if (const auto given_back = taken.find(id); given_back != taken.end()) {
            machine.free_bytes += given_back->second;
        }
        machine.read_bytes_per_s = offer.read_bytes_per_s;
        machine.may_coordinate = id == in.self;
        add_version(out.version, std::hash<node_id>()(id));
        add_version(out.version, machine.free_bytes / memory_step);
        out.machines.push_back(std::move(machine));
    };
    if (has_whole(own, content)) {
        add(in.self, in.settings->name, own);
    }
    const auto* members = in.members();
    if (members == nullptr) {
        return out;
    }
    auto all = members->peers();
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    for (const peers::peer_view& one : all) {
        const bool serves = one.connection && one.status && !one.revoked &&
                            one.said.certificate.role == admission::role::worker &&
                            one.state == membership::member_state::alive;
        if (!serves || one.status->offer.memory_bytes == 0) {
            continue;
        }
        const std::string name = one.said.name.empty() ? short_name(one.id) : one.said.name;
        if (!has_whole(one.status->offer, content)) {
            out.without_file.push_back(name);
            continue;
        }
        add(one.id, name, one.status->offer);
        for (const peers::told_link& link : one.status->offer.links) {
            out.links.set(one.id, link.to, {.round_trip_ms = link.round_trip_ms});
        }
    }
    for (const peers::peer_view& one : all) {  // what was measured here goes before what was told
        if (one.connection) {
            out.links.set(in.self, one.id, {.round_trip_ms = ms_of(one.connection->facts().round_trip)});
        }
    }
    return out;
}

std::string left_out_text(const plan_inputs& of) {
    constexpr std::size_t max_named = 8;  // a sentence, not a listing
    if (of.without_file.empty()) {
        return {};
    }
    std::string names;
    for (std::size_t i = 0; i < std::min(of.without_file.size(), max_named); ++i) {
        names += (names.empty() ? "" : ", ") + of.without_file[i];
    }
    if (of.without_file.size() > max_named) {
        names += fmt::format(" and {} more", of.without_file.size() - max_named);
    }
    return of.without_file.size() == 1
               ? fmt::format(" {} takes no part: the model's file is not there.", names)
               : fmt::format(" Without a part, since the model's file is not there: {}.", names);
}

}  // namespace starling::node
