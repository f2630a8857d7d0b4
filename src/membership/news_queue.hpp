// What there is to tell: slots whose record or accusation is news. What is told about a slot is looked up in the table
// at the moment of telling, so nothing here can be out of date, and the queue cannot outgrow the table. What was told
// least often goes first, and of that the newest; each piece of news is told a limited number of times.
#pragma once

#include "membership/member_table.hpp"

#include <compare>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

namespace starling::membership {

enum class topic : std::uint8_t { record, accusation };

class news_queue {
  public:
    enum class verdict {
        told,
        no_room,
        stale,  // there is nothing (more) to tell about it
    };

    /// It is news again: told from the start. Of more than max_news the one told most often goes.
    void renew(slot s, topic t);

    /// Somebody told it to us: as good as told once, where there is more to tell than time to tell it.
    void heard(slot s, topic t, std::size_t limit);

    void forget(slot s);

    bool empty() const { return queue_.empty(); }
    std::size_t size() const { return queue_.size(); }

    /// Offers news to `tell(slot, topic) -> verdict`, the freshest first, until `max_refusals` did not fit. What was
    /// told `limit` times is dropped.
    template <class F>
    void offer(std::size_t limit, F tell);

  private:
    static constexpr std::size_t max_refusals = 8;  // records vary in size: a smaller one may still fit, for a while

    struct entry {
        std::uint32_t told = 0;
        std::uint64_t age_order = 0;  // smaller is newer
        slot about = 0;
        membership::topic topic = topic::record;

        auto operator<=>(const entry&) const = default;
    };
    static std::uint64_t key(slot s, topic t) {
        return static_cast<std::uint64_t>(s) * 2 + (t == topic::record ? 0 : 1);
    }
    void drop(slot s, topic t);

    std::set<entry> queue_;
    std::unordered_map<std::uint64_t, entry> index_;
    std::uint64_t next_age_order_ = ~std::uint64_t{0};
};

template <class F>
void news_queue::offer(std::size_t limit, F tell) {
    std::vector<entry> told;
    std::size_t refusals = 0;
    for (auto it = queue_.begin(); it != queue_.end() && refusals < max_refusals;) {
        const verdict v = tell(it->about, it->topic);
        if (v == verdict::no_room) {
            ++refusals;
            ++it;
            continue;
        }
        entry e = *it;
        it = queue_.erase(it);
        index_.erase(key(e.about, e.topic));
        if (v == verdict::told && ++e.told < limit) {
            told.push_back(e);
        }
    }
    for (const entry& e : told) {
        queue_.insert(e);
        index_.emplace(key(e.about, e.topic), e);
    }
}

}  // namespace starling::membership
