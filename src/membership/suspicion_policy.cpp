#include "membership/suspicion_policy.hpp"

#include <algorithm>
#include <cmath>

namespace starling::membership {

duration least_patience(std::size_t members) {
    const double spread = std::max(1.0, std::log10(static_cast<double>(members)));
    return duration(static_cast<duration::rep>(static_cast<double>(duration(patience_base).count()) * spread));
}

duration patience(const suspicion_view& view) {
    const duration least = least_patience(view.members);
    // The suspect and its first accuser cannot confirm.
    const auto able = std::min<std::size_t>(confirmations, view.members - std::min<std::size_t>(view.members, 2));
    const auto confirmed = view.accusers - std::min<std::size_t>(view.accusers, 1);
    if (view.concluded_by_other || view.strikes >= strikes_to_die || confirmed >= able) {
        return least;
    }
    const double share = std::log(static_cast<double>(confirmed) + 1.0) / std::log(static_cast<double>(able) + 1.0);
    const double stretch = patience_stretch - (patience_stretch - 1) * share;
    return duration(static_cast<duration::rep>(static_cast<double>(least.count()) * stretch));
}

std::size_t gossip_limit(std::size_t members) {
    return static_cast<std::size_t>(std::ceil(gossip_lambda * std::log10(static_cast<double>(members) + 1.0)));
}

}  // namespace starling::membership
