// A map that never holds more than a fixed number of entries: the one that was not used for longest makes room. Pure;
// one thread.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <utility>

namespace starling::dispatch {

template <class Key, class Value>
class lru_map {
  public:
    explicit lru_map(std::size_t capacity) : capacity_(capacity) {}

    /// Null when there is none. A hit counts as a use. Valid until the next operator[].
    Value* find(const Key& key) {
        const auto found = index_.find(key);
        if (found == index_.end()) {
            return nullptr;
        }
        order_.splice(order_.begin(), order_, found->second);
        return &found->second->second;
    }

    /// The value of `key`, made if there is none.
    Value& operator[](const Key& key) {
        if (Value* found = find(key)) {
            return *found;
        }
        if (order_.size() >= capacity_) {
            index_.erase(order_.back().first);
            order_.pop_back();
        }
        order_.emplace_front(key, Value{});
        index_.emplace(key, order_.begin());
        return order_.front().second;
    }

    std::size_t size() const { return order_.size(); }

  private:
    std::size_t capacity_;                    // at least 1
    std::list<std::pair<Key, Value>> order_;  // used last comes first
    std::map<Key, typename std::list<std::pair<Key, Value>>::iterator> index_;
};

}  // namespace starling::dispatch
