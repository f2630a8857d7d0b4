// Everybody that a node knows, itself included, with what it holds of each. Pure state: it judges nothing.
//
// Members live in numbered slots; every list is of slots, so that choosing one at random, moving one from live to dead
// and finding one by its id are all O(1). Sums over buckets of live members are kept as they change: two tables that
// agree find that out by comparing the sums. Owner: the detector.
#pragma once

#include "membership/limits.hpp"
#include "membership/types.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace starling::membership {

using slot = std::uint32_t;

/// Only while a member is suspect.
struct suspicion {
    time_point since;
    std::vector<node_id> accusers;    // at most confirmations + 1
    accusation told;                  // the latest that was news, passed on as it came
    int strikes = 0;                  // our own failed probe rounds
    bool concluded_by_other = false;  // a claim of death was heard
};

struct member {
    shared_record record;  // null: the slot is free
    member_state state = member_state::alive;
    time_point since;                  // in this state
    time_point answered;               // when we last spoke to it unasked
    std::unique_ptr<suspicion> doubt;  // exactly while suspect
    std::uint32_t position = 0;        // in the list of its state
};

class member_table {
  public:
    static constexpr slot self = 0;

    member_table(shared_record own, time_point now);

    std::optional<slot> find(const node_id& id) const;
    const member& at(slot s) const { return members_[s]; }
    member& at(slot s) { return members_[s]; }

    /// A new live member; not for a full table.
    slot insert(shared_record r, time_point now);
    bool full() const { return size() >= max_members; }

    /// The first to go when there is no room.
    std::optional<slot> oldest_tombstone() const;

    /// A later record of the same member.
    void replace(slot s, shared_record r);

    void set_state(slot s, member_state state, time_point now);
    void erase(slot s);

    /// Alive or suspect, without ourselves.
    std::span<const slot> live() const { return lists_[live_list]; }
    std::span<const slot> dead() const { return lists_[dead_list]; }
    std::span<const slot> left() const { return lists_[left_list]; }
    std::span<const slot> suspects() const { return suspects_; }
    bool is_live(slot s) const;

    /// Everybody, with tombstones and ourselves.
    std::size_t size() const { return index_.size(); }

    /// Sums of (id, incarnation) of live members and ourselves; `count` is a power of two up to sync_buckets.
    std::vector<std::uint64_t> buckets(std::size_t count) const;
    static std::size_t bucket_of(const node_id& id, std::size_t count);

    /// Slots in use, in no order.
    template <class F>
    void for_each(F visit) const {
        for (slot s = 0; s < members_.size(); ++s) {
            if (members_[s].record) {
                visit(s, members_[s]);
            }
        }
    }

  private:
    enum list_index : std::uint8_t { live_list, dead_list, left_list, list_count };
    static list_index list_of(member_state state);

    void enter_list(slot s);
    void quit_list(slot s);
    void count_in_bucket(slot s);
    void count_out_of_bucket(slot s);

    std::vector<member> members_;
    std::vector<slot> free_;
    std::unordered_map<node_id, slot> index_;
    std::array<std::vector<slot>, list_count> lists_;
    std::vector<slot> suspects_;  // few: searched
    std::array<std::uint64_t, sync_buckets> sums_{};
};

}  // namespace starling::membership
