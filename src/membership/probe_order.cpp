#include "membership/probe_order.hpp"

#include <utility>

namespace starling::membership {

std::uint8_t& probe_order::flags(slot s) {
    if (s >= flags_.size()) {
        flags_.resize(s + 1, 0);
    }
    return flags_[s];
}

void probe_order::add(slot s, dice& random) {
    auto& f = flags(s);
    if ((f & in_round) != 0) {
        return;
    }
    f |= in_round;
    if (cursor_ > 0) {
        order_[--cursor_] = s;  // the place of one who had its turn
    } else {
        order_.insert(order_.begin(), s);
    }
    std::swap(order_[cursor_], order_[cursor_ + random.below(order_.size() - cursor_)]);
}

std::optional<slot> probe_order::next(const member_table& table, dice& random) {
    for (int round = 0; round < 2; ++round) {
        while (cursor_ < order_.size()) {
            const slot s = order_[cursor_++];
            if (table.is_live(s)) {
                return s;
            }
        }
        for (const slot s : order_) {
            flags(s) &= static_cast<std::uint8_t>(~in_round);
        }
        order_.assign(table.live().begin(), table.live().end());
        cursor_ = 0;
        for (const slot s : order_) {
            flags(s) |= in_round;
        }
        random.shuffle(std::span(order_));
    }
    return std::nullopt;
}

void probe_order::add_urgent(slot s) {
    if (auto& f = flags(s); (f & is_urgent) == 0) {
        f |= is_urgent;
        urgent_.push_back(s);
    }
}

std::optional<slot> probe_order::next_urgent(const member_table& table) {
    while (!urgent_.empty()) {
        const slot s = urgent_.front();
        urgent_.pop_front();
        flags(s) &= static_cast<std::uint8_t>(~is_urgent);
        if (table.is_live(s)) {
            return s;
        }
    }
    return std::nullopt;
}

}  // namespace starling::membership
