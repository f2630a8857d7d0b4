#include "api/load_history.hpp"

#include <algorithm>
#include <cmath>

namespace starling::api {

namespace {

std::uint8_t percent(double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 100.0)));
}

}  // namespace

void load_history::add(std::int64_t unix_s, std::span<const peer_facts> all) {
    for (const peer_facts& peer : all) {
        if (!peer.health || (by_node_.size() >= nodes && !by_node_.contains(peer.node_id))) {
            continue;
        }
        auto& kept = by_node_[peer.node_id];
        kept.push_back({.unix_s = static_cast<std::uint32_t>(unix_s),
                        .cpu = percent(peer.health->cpu_percent),
                        .memory = percent(peer.health->memory_percent),
                        .queue = percent(peer.health->queue_availability_percent),
                        .score = percent(peer.health->score),
                        .rtt_ms = static_cast<float>(peer.rtt_ms.value_or(-1.0))});
    }
    const std::int64_t oldest = unix_s - static_cast<std::int64_t>(samples) * interval.count();
    for (auto node = by_node_.begin(); node != by_node_.end();) {
        auto& kept = node->second;
        while (!kept.empty() && (kept.size() > samples || kept.front().unix_s < oldest)) {
            kept.pop_front();
        }
        node = kept.empty() ? by_node_.erase(node) : std::next(node);
    }
}

const std::deque<load_sample>* load_history::of(std::string_view node_id) const {
    const auto found = by_node_.find(node_id);
    return found == by_node_.end() ? nullptr : &found->second;
}

}  // namespace starling::api
