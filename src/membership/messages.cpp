#include "membership/messages.hpp"

namespace starling::membership {

namespace {

constexpr std::size_t record_bytes = 50;  // id, number, kind, two lengths, a little framing

std::size_t bytes_of(const shared_record& r) {
    return r ? estimated_bytes(*r) : 1;
}

std::size_t bytes_of(const std::vector<shared_record>& records) {
    std::size_t sum = 0;
    for (const shared_record& r : records) {
        sum += bytes_of(r);
    }
    return sum;
}

std::size_t bytes_of(const news& n) {
    return bytes_of(n.records) + n.accusations.size() * accusation_bytes;
}

struct body_size {
    std::size_t operator()(const ping& m) const { return bytes_of(m.news); }
    std::size_t operator()(const ping_req& m) const { return id_bytes + bytes_of(m.news); }
    std::size_t operator()(const ack& m) const { return bytes_of(m.news); }
    std::size_t operator()(const nack&) const { return 0; }
    std::size_t operator()(const gossip& m) const { return bytes_of(m.news); }
    std::size_t operator()(const sync_request& m) const {
        return bytes_of(m.sender) + m.buckets.size() * sizeof(std::uint64_t);
    }
    std::size_t operator()(const sync_digest& m) const {
        return bytes_of(m.sender) + m.differing.size() * sizeof(std::uint16_t) + m.entries.size() * digest_entry_bytes;
    }
    std::size_t operator()(const sync_records& m) const {
        return bytes_of(m.records) + m.accusations.size() * accusation_bytes + m.wanted.size() * id_bytes;
    }
};

}  // namespace

std::size_t estimated_bytes(const record& r) {
    return record_bytes + r.payload.size() + r.signature.size();
}

std::size_t estimated_bytes(const message& m) {
    return message_bytes + std::visit(body_size{}, m);
}

}  // namespace starling::membership
