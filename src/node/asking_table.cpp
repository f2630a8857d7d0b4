#include "node/asking_table.hpp"

#include <algorithm>

namespace starling::node {

bool asking_table::is_out(const node_id& node, const discovery::mesh_tag& mesh) const {
    return declined_.contains(node) || refused_.contains(mesh);
}

void asking_table::heard(const discovery::sighting& one, steady_time now) {
    if (one.kind != discovery::beacon_kind::member || is_out(one.node, one.mesh)) {
        return;
    }
    if (known_.size() >= max_heard_members && !known_.contains(one.node)) {
        const auto longest_silent = std::min_element(
            known_.begin(), known_.end(), [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
        known_.erase(longest_silent);
    }
    const auto [found, is_new] = known_.try_emplace(one.node);
    entry& known = found->second;
    if (is_new) {
        known.due = now;
    }
    known.heard = now;
    known.who.node = one.node;
    known.who.mesh = one.mesh;
    auto& places = known.who.places;
    std::erase(places, one.where);
    places.insert(places.begin(), one.where);
    places.resize(std::min(places.size(), max_member_places));
}

std::optional<asking_table::candidate> asking_table::take(steady_time now) {
    const auto first = std::min_element(known_.begin(), known_.end(),
                                        [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    if (first == known_.end() || first->second.due > now) {
        return std::nullopt;
    }
    first->second.due = now + ask_again_after;
    return first->second.who;
}

steady_time asking_table::next_due() const {
    auto out = steady_time::max();
    for (const auto& [node, one] : known_) {
        out = std::min(out, one.due);
    }
    return out;
}

void asking_table::put_off(const node_id& node, steady_time now) {
    if (const auto found = known_.find(node); found != known_.end()) {
        found->second.due = now + ask_again_after;
    }
}

void asking_table::refused_by(const discovery::mesh_tag& mesh) {
    if (refused_.size() < max_refusals) {
        refused_.insert(mesh);
    }
    std::erase_if(known_, [&](const auto& one) { return one.second.who.mesh == mesh; });
}

void asking_table::declined(const node_id& node) {
    if (declined_.size() < max_refusals) {
        declined_.insert(node);
    }
    known_.erase(node);
}

}  // namespace starling::node
