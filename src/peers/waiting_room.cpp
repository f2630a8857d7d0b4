#include "peers/waiting_room.hpp"

#include "peers/comparison_code.hpp"

#include <algorithm>

namespace starling::peers {

namespace {

using admission::errc;

error too_many() {
    return fail(errc::full, "Too many ask to join at once; try again in some minutes, or ask for an invite.");
}

}  // namespace

result<void> ask_pace::take(const node_id& newcomer, steady_time now) {
    constexpr std::chrono::minutes window_of_one_node{1};
    while (!taken_.empty() && now - taken_.front().first >= ask_patience) {
        taken_.pop_front();
    }
    const auto of_this_node = std::count_if(taken_.begin(), taken_.end(), [&](const auto& one) {
        return one.second == newcomer && now - one.first < window_of_one_node;
    });
    if (taken_.size() >= max_codes || static_cast<std::size_t>(of_this_node) >= max_codes_of_one_node) {
        return too_many();
    }
    taken_.emplace_back(now, newcomer);
    return {};
}

std::vector<waiting_room::request> waiting_room::waiting() const {
    std::vector<request> out;
    for (const entry& one : entries_) {
        if (!one.decision) {
            out.push_back(one.shown);
        }
    }
    return out;
}

result<waiting_room::entry*> waiting_room::find(std::string_view code) {
    const std::string wanted = digits_of(code);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const entry& one) {
        return !one.decision && digits_of(one.shown.code) == wanted;
    });
    if (found == entries_.end()) {
        return fail(errc::expired,
                    "Nobody waits with that code: it was mistyped, or the other machine has left or waited too long.");
    }
    return &*found;
}

result<void> waiting_room::approve(std::string_view code, admission::role as) {
    auto whom = find(code);
    if (!whom) {
        return whom.error();
    }
    auto admitted = options_.admit(whom.value()->shown.who, as);
    if (!admitted) {
        return admitted.error();
    }
    whom.value()->decision = std::move(admitted);
    whom.value()->decided.notify();
    return {};
}

result<void> waiting_room::refuse(std::string_view code) {
    auto whom = find(code);
    if (!whom) {
        return whom.error();
    }
    whom.value()->decision = fail(errc::not_allowed, "The person at " + options_.name + " said no.");
    whom.value()->decided.notify();
    return {};
}

result<void> waiting_room::begin(const node_id& newcomer, steady_time now) {
    if (entries_.size() >= max_waiting) {
        return too_many();
    }
    return pace_.take(newcomer, now);
}

result<std::unique_ptr<waiting_room::seat>> waiting_room::enter(request who) {
    // One code, one newcomer: else a person could not say whom it means.
    if (entries_.size() >= max_waiting || find(who.code)) {
        return too_many();
    }
    const auto until = who.since + options_.patience;
    const auto at = entries_.emplace(entries_.end(), executor_, std::move(who), until);
    auto taken = std::make_unique<seat>(*this, at);
    if (options_.on_request) {
        options_.on_request(at->shown);
    }
    return taken;
}

boost::asio::awaitable<result<admission::certificate>> waiting_room::seat::decision() {
    while (!at_->decision) {
        const bool in_time = co_await at_->decided.wait_until(at_->expires);
        if (!in_time && !at_->decision) {
            co_return fail(errc::expired, "Nobody at " + room_->name() + " has answered in time; ask again.");
        }
    }
    co_return *at_->decision;
}

}  // namespace starling::peers
