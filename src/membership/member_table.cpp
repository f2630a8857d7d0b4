#include "membership/member_table.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace starling::membership {

namespace {

std::uint64_t sum_of(const record& r) {
    std::uint64_t key = 0;
    std::memcpy(&key, r.id.bytes.data(), sizeof key);
    const auto mixed = philox4x32(key, r.incarnation);
    return (static_cast<std::uint64_t>(mixed[0]) << 32) | mixed[1];
}

bool counts_as_live(member_state state) {
    return state == member_state::alive || state == member_state::suspect;
}

}  // namespace

member_table::member_table(shared_record own, time_point now) {
    index_.emplace(own->id, self);
    members_.push_back({.record = std::move(own), .state = member_state::alive, .since = now});
    count_in_bucket(self);
}

std::optional<slot> member_table::find(const node_id& id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
}

slot member_table::insert(shared_record r, time_point now) {
    slot s = 0;
    if (free_.empty()) {
        s = static_cast<slot>(members_.size());
        members_.emplace_back();
    } else {
        s = free_.back();
        free_.pop_back();
    }
    index_.emplace(r->id, s);
    members_[s] = {.record = std::move(r), .state = member_state::alive, .since = now};
    enter_list(s);
    return s;
}

void member_table::replace(slot s, shared_record r) {
    count_out_of_bucket(s);
    members_[s].record = std::move(r);
    count_in_bucket(s);
}

void member_table::set_state(slot s, member_state state, time_point now) {
    member& m = members_[s];
    if (s == self) {
        count_out_of_bucket(s);
        m.state = state;
        count_in_bucket(s);
    } else {
        quit_list(s);
        m.state = state;
        enter_list(s);
    }
    m.since = now;
    m.doubt = state == member_state::suspect ? std::make_unique<suspicion>() : nullptr;
}

void member_table::erase(slot s) {
    quit_list(s);
    index_.erase(members_[s].record->id);
    members_[s] = {};
    free_.push_back(s);
}

bool member_table::is_live(slot s) const {
    return s != self && s < members_.size() && members_[s].record && counts_as_live(members_[s].state);
}

std::vector<std::uint64_t> member_table::buckets(std::size_t count) const {
    std::vector<std::uint64_t> folded(count, 0);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        folded[i * count / sums_.size()] += sums_[i];
    }
    return folded;
}

std::size_t member_table::bucket_of(const node_id& id, std::size_t count) {
    return static_cast<std::size_t>(id.bytes.back()) * count / sync_buckets;
}

member_table::list_index member_table::list_of(member_state state) {
    switch (state) {
        case member_state::dead: return dead_list;
        case member_state::left: return left_list;
        case member_state::alive:
        case member_state::suspect: break;
    }
    return live_list;
}

void member_table::enter_list(slot s) {
    auto& list = lists_[list_of(members_[s].state)];
    members_[s].position = static_cast<std::uint32_t>(list.size());
    list.push_back(s);
    if (members_[s].state == member_state::suspect) {
        suspects_.push_back(s);
    }
    count_in_bucket(s);
}

void member_table::quit_list(slot s) {
    count_out_of_bucket(s);
    auto& list = lists_[list_of(members_[s].state)];
    const auto hole = members_[s].position;
    list[hole] = list.back();
    members_[list[hole]].position = hole;
    list.pop_back();
    if (members_[s].state == member_state::suspect) {
        std::erase(suspects_, s);
    }
}

void member_table::count_in_bucket(slot s) {
    const member& m = members_[s];
    if (counts_as_live(m.state)) {
        sums_[bucket_of(m.record->id, sync_buckets)] += sum_of(*m.record);
    }
}

void member_table::count_out_of_bucket(slot s) {
    const member& m = members_[s];
    if (counts_as_live(m.state)) {
        sums_[bucket_of(m.record->id, sync_buckets)] -= sum_of(*m.record);
    }
}

std::optional<slot> member_table::oldest_tombstone() const {
    std::optional<slot> oldest;
    for (const auto list : {dead(), left()}) {
        for (const slot s : list) {
            if (!oldest || at(s).since < at(*oldest).since) {
                oldest = s;
            }
        }
    }
    return oldest;
}

}  // namespace starling::membership
