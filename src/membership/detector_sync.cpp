// Anti-entropy: two members compare their tables and send each other what is missing.
#include "membership/membership.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace starling::membership {

namespace {

bool is_bucket_count(std::size_t count) {
    return std::has_single_bit(count) && count <= sync_buckets;
}

bool is_live(member_state state) {
    return state == member_state::alive || state == member_state::suspect;
}

/// Records and claims for one answer, up to max_sync_bytes.
class answer_builder {
  public:
    sync_records content;

    void add(const member& m, const node_id& self) {
        const auto bytes = estimated_bytes(*m.record) + accusation_bytes;
        if (bytes > left_) {
            truncated_ = true;
            return;
        }
        left_ -= bytes;
        content.records.push_back(m.record);
        claim_death(m, self);
    }

    void claim_death(const member& m, const node_id& self) {
        if (m.state == member_state::dead) {
            content.accusations.push_back({m.record->id, m.record->incarnation, claim::dead, self});
        }
    }

    bool truncated() const { return truncated_; }
    bool empty() const { return content.records.empty() && content.accusations.empty() && content.wanted.empty(); }

  private:
    std::size_t left_ = max_sync_bytes;
    bool truncated_ = false;
};

}  // namespace

void detector::start_sync(const node_id& with) {
    last_sync_ = now_;
    sync_wait_ = std::min(sync_wait_ * 2, sync_period);
    next_sync_ = now_ + sync_wait_ * 3 / 4 + dice_.up_to(sync_wait_ / 2);
    const auto count = std::bit_ceil(std::max<std::size_t>(table_.size() / members_per_sync_bucket, 1));
    post(with, sync_request{table_.at(member_table::self).record, table_.buckets(std::min(count, sync_buckets))});
}

void detector::sync_with_anyone() {
    const auto chosen = random_live(1, own().id);
    if (chosen.empty()) {
        next_sync_ = now_ + sync_period;
    } else {
        start_sync(chosen.front());
    }
}

void detector::sync_again_soon() {
    sync_wait_ = sync_soon;
    next_sync_ = std::min(next_sync_, now_ + sync_soon / 2 + dice_.up_to(sync_soon));
}

bool detector::may_answer_sync() {
    if (now_ >= sync_answers_from_ + 1s) {
        sync_answers_from_ = now_;
        sync_answers_ = 0;
    }
    return sync_answers_++ < max_sync_answers_per_s;
}

/// Somebody who talks to us and of whom we have no record, or who knows a record of ours that we do not.
void detector::introduce(const node_id& stranger) {
    if (now_ >= last_introduction_ + introduction_pace) {
        last_introduction_ = now_;
        start_sync(stranger);
    }
}

void detector::on(const node_id& from, const sync_request& m) {
    if (!is_bucket_count(m.buckets.size()) || !may_answer_sync()) {
        return;
    }
    apply_record(m.sender, source::gossip);
    const auto count = m.buckets.size();
    const auto ours = table_.buckets(count);
    sync_digest answer{.sender = table_.at(member_table::self).record,
                       .bucket_count = static_cast<std::uint32_t>(count)};
    std::vector<char> differs(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
        if (ours[i] != m.buckets[i]) {
            differs[i] = 1;
            answer.differing.push_back(static_cast<std::uint16_t>(i));
        }
    }
    if (answer.differing.empty()) {
        return;
    }
    table_.for_each([&](slot, const member& known) {
        if (differs[member_table::bucket_of(known.record->id, count)] != 0) {
            answer.entries.push_back({known.record->id, known.record->incarnation, known.state});
        }
    });
    conversation_.answered = true;
    post(from, std::move(answer));
}

void detector::on(const node_id& from, const sync_digest& m) {
    if (!is_bucket_count(m.bucket_count) || m.entries.size() > max_members || !may_answer_sync()) {
        return;
    }
    apply_record(m.sender, source::gossip);
    answer_builder answer;
    std::unordered_map<node_id, const digest_entry*> theirs;
    for (const digest_entry& entry : m.entries) {
        theirs.emplace(entry.id, &entry);
        if (entry.state == member_state::dead) {
            apply_accusation(from, {entry.id, entry.incarnation, claim::dead, from}, source::sync);
        }
        const auto s = table_.find(entry.id);
        const auto ours = s ? std::optional(table_.at(*s).record->incarnation) : std::nullopt;
        if (entry.incarnation <= max_incarnation && (ours ? entry.incarnation > *ours : is_live(entry.state))) {
            answer.content.wanted.push_back(entry.id);
        } else if (ours && entry.incarnation < *ours) {
            answer.add(table_.at(*s), own().id);
        } else if (ours && entry.incarnation == *ours && is_live(entry.state)) {
            answer.claim_death(table_.at(*s), own().id);
        }
    }
    std::vector<char> told(m.bucket_count, 0);
    for (const std::uint16_t bucket : m.differing) {
        if (bucket < told.size()) {
            told[bucket] = 1;
        }
    }
    table_.for_each([&](slot, const member& ours) {
        if (is_live(ours.state) && !theirs.contains(ours.record->id) &&
            told[member_table::bucket_of(ours.record->id, m.bucket_count)] != 0) {
            answer.add(ours, own().id);
        }
    });
    if (answer.truncated()) {
        sync_again_soon();
    }
    if (!answer.empty()) {
        conversation_.answered = true;
        post(from, std::move(answer.content));
    }
}

void detector::on(const node_id& from, const sync_records& m) {
    const auto via = m.records.size() < many_changes ? source::gossip : source::sync;
    std::size_t changes = 0;
    for (std::size_t i = 0; i < std::min(m.records.size(), max_members); ++i) {
        changes += apply_record(m.records[i], via) ? 1 : 0;
    }
    for (std::size_t i = 0; i < std::min(m.accusations.size(), max_members); ++i) {
        apply_accusation(from, m.accusations[i], source::sync);
    }
    if (changes > 0) {
        sync_again_soon();
    }
    if (m.wanted.empty() || !may_answer_sync()) {
        return;
    }
    answer_builder answer;
    for (std::size_t i = 0; i < std::min(m.wanted.size(), max_members); ++i) {
        if (const auto s = table_.find(m.wanted[i])) {
            answer.add(table_.at(*s), own().id);
        }
    }
    if (!answer.empty()) {
        conversation_.answered = true;
        post(from, std::move(answer.content));
    }
}

}  // namespace starling::membership
