#include "dispatch/prefix_table.hpp"

#include <algorithm>

namespace starling::dispatch {

void prefix_table::remember(const prompt_chain& prompt, const node_id& at) {
    for (const prompt_link& link : prompt.links) {
        remember(link.hash, at);
    }
}

void prefix_table::remember(std::uint64_t link, const node_id& at) {
    auto& nodes = prefixes_[link];
    std::erase(nodes, at);
    if (nodes.size() >= max_holders_of_prefix) {
        nodes.erase(nodes.begin());
    }
    nodes.push_back(at);
}

std::vector<prefix_holder> prefix_table::holders(const prompt_chain& prompt) {
    std::vector<prefix_holder> out;
    for (auto link = prompt.links.rbegin(); link != prompt.links.rend(); ++link) {
        const auto* nodes = prefixes_.find(link->hash);
        if (nodes == nullptr) {
            continue;
        }
        for (const node_id& node : *nodes) {
            const bool longer =
                std::any_of(out.begin(), out.end(), [&](const auto& known) { return known.node == node; });
            if (!longer) {
                out.push_back({.node = node, .tokens = link->tokens});
            }
        }
    }
    return out;
}

}  // namespace starling::dispatch
