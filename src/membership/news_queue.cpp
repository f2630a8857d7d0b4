#include "membership/news_queue.hpp"

namespace starling::membership {

void news_queue::renew(slot s, topic t) {
    drop(s, t);
    const entry fresh{.told = 0, .age_order = next_age_order_--, .about = s, .topic = t};
    queue_.insert(fresh);
    index_.emplace(key(s, t), fresh);
    if (queue_.size() > max_news) {
        const entry last = *queue_.rbegin();
        drop(last.about, last.topic);
    }
}

void news_queue::heard(slot s, topic t, std::size_t limit) {
    const auto found = index_.find(key(s, t));
    if (found == index_.end() || queue_.size() <= much_news) {
        return;
    }
    entry e = found->second;
    drop(s, t);
    if (++e.told < limit) {
        queue_.insert(e);
        index_.emplace(key(s, t), e);
    }
}

void news_queue::forget(slot s) {
    drop(s, topic::record);
    drop(s, topic::accusation);
}

void news_queue::drop(slot s, topic t) {
    if (const auto found = index_.find(key(s, t)); found != index_.end()) {
        queue_.erase(found->second);
        index_.erase(found);
    }
}

}  // namespace starling::membership
