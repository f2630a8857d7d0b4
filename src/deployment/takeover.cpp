#include "deployment/takeover.hpp"

#include <algorithm>

namespace starling::deployment {

std::optional<takeover> takeover_between(const plan& before, const plan& after) {
    const auto is_gone = [&](const stage& one) {
        return std::none_of(after.begin(), after.end(), [&](const stage& other) { return other.node == one.node; });
    };
    const auto gone = std::find_if(before.begin(), before.end(), is_gone);
    if (gone == before.end()) {
        return std::nullopt;
    }
    const auto has_it = [&](const stage& one) {
        return one.layers.first <= gone->layers.first && gone->layers.first < one.layers.end;
    };
    const auto now = std::find_if(after.begin(), after.end(), has_it);
    return now == after.end() ? std::nullopt : std::optional(takeover{.from = gone->node, .to = now->node});
}

}  // namespace starling::deployment
