#include "discovery/lan_table.hpp"

#include <algorithm>

namespace starling::discovery {

namespace {

duration part_of(duration whole, double fraction) {
    return duration(static_cast<duration::rep>(fraction * static_cast<double>(whole.count())));
}

address listens_at(const beacon& heard, const address& from) {
    address out = from;  // with the scope of a link-local address
    out.port(heard.port);
    return out;
}

}  // namespace

void lan_table::announce(announcement what, steady_time now) {
    what_ = std::move(what);
    places_.clear();  // who is of interest may have changed
    start_again(now);
}

void lan_table::start_again(steady_time now) {
    burst_left_ = burst_beacons;
    next_ = now;
}

beacon lan_table::take_due(moment now) {
    beacon out;
    out.kind = what_.kind;
    out.wants_answer = burst_left_ > 0;
    out.mesh = what_.mesh;
    out.node = self_;
    out.port = what_.port;
    out.sent_s = now.unix_s;
    out.name = what_.name;
    burst_left_ = std::max(0, burst_left_ - 1);
    last_ = now.steady;
    next_ = now.steady +
            (burst_left_ > 0 ? burst_gap : beacon_interval - interval_jitter + part_of(2 * interval_jitter, draw()));
    return out;
}

bool lan_table::worth_verifying(const beacon& heard, const address& from, moment now) {
    if (heard.node == self_ || !is_fresh(heard, now.unix_s) || !concerns_us(heard)) {
        return false;
    }
    if (!is_news(heard, listens_at(heard, from), now.steady) && !would_answer(heard, now.steady)) {
        return false;
    }
    const double elapsed_s = std::chrono::duration<double>(now.steady - refilled_).count();
    allowance_ = std::min(verifications_per_second, allowance_ + elapsed_s * verifications_per_second);
    refilled_ = now.steady;
    if (allowance_ < 1) {
        return false;
    }
    allowance_ -= 1;
    return true;
}

std::optional<sighting> lan_table::take(const beacon& heard, const address& from, steady_time now) {
    if (would_answer(heard, now)) {
        next_ = soonest_answer(now) + part_of(answer_jitter, draw());
    }
    const address where = listens_at(heard, from);
    if (!is_news(heard, where, now)) {
        return std::nullopt;
    }
    const key which(heard.node, where);
    if (!places_.contains(which)) {
        make_room(heard.node);
    }
    places_[which] = {.reported = now, .kind = heard.kind, .mesh = heard.mesh, .name = heard.name};
    return sighting{.node = heard.node, .where = where, .name = heard.name, .kind = heard.kind, .mesh = heard.mesh};
}

bool lan_table::concerns_us(const beacon& heard) const {
    if (what_.kind == beacon_kind::seeking) {
        return heard.kind == beacon_kind::member;
    }
    return heard.kind == beacon_kind::seeking || heard.mesh == what_.mesh;
}

bool lan_table::is_news(const beacon& heard, const address& where, steady_time now) const {
    const auto found = places_.find({heard.node, where});
    if (found == places_.end()) {
        return true;
    }
    const place& known = found->second;
    return known.kind != heard.kind || known.mesh != heard.mesh || known.name != heard.name ||
           now - known.reported >= report_interval;
}

steady_time lan_table::soonest_answer(steady_time now) const {
    return last_ ? std::max(now, *last_ + answer_gap) : now;
}

bool lan_table::would_answer(const beacon& heard, steady_time now) const {
    return heard.wants_answer && next_ > soonest_answer(now) + answer_jitter;
}

/// Nobody is locked out: a stranger who makes up nodes can push out what is known, which is then reported once more.
void lan_table::make_room(const node_id& node) {
    const auto older = [](const auto& a, const auto& b) { return a.second.reported < b.second.reported; };
    const auto begin = places_.lower_bound({node, address()});
    const auto end = std::find_if(begin, places_.end(), [&](const auto& one) { return one.first.first != node; });
    if (static_cast<std::size_t>(std::distance(begin, end)) >= max_places_of_one_node) {
        places_.erase(std::min_element(begin, end, older));
    } else if (places_.size() >= max_places) {
        places_.erase(std::min_element(places_.begin(), places_.end(), older));
    }
}

}  // namespace starling::discovery
