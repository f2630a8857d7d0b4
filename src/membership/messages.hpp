// What members say to each other, as plain data; a codec elsewhere turns it into bytes.
//
// ping, ping_req, ack, nack and gossip each fit a datagram of `datagram_bytes` and may be lost, doubled or reordered.
// The three sync messages are larger and want a stream. A sync is a conversation of self-contained messages:
// request (sums of buckets) → digest (what the other holds where the sums differ) → records (what it lacks, and a list
// of what is wanted) → records.
#pragma once

#include "membership/types.hpp"

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace starling::membership {

/// Piggybacked on everything that fits a datagram.
struct news {
    std::vector<shared_record> records;
    std::vector<accusation> accusations;
};

/// "Are you there?" Answered by an ack of the same sequence.
struct ping {
    std::uint64_t sequence = 0;
    membership::news news;
};

/// "Ping this one for me." Answered by an ack when the target answered, by a nack when it did not.
struct ping_req {
    std::uint64_t sequence = 0;
    node_id target;
    membership::news news;
};

struct ack {
    std::uint64_t sequence = 0;
    membership::news news;
};

/// Says that the helper is well, though the target is not (Lifeguard).
struct nack {
    std::uint64_t sequence = 0;
};

struct gossip {
    membership::news news;
};

struct sync_request {
    shared_record sender;  // so that a newcomer is known by its first message
    /// Sum of each bucket of live members; a power of two of them, at most `sync_buckets`.
    std::vector<std::uint64_t> buckets;
};

struct digest_entry {
    node_id id;
    incarnation_number incarnation = 0;
    member_state state = member_state::alive;
};

struct sync_digest {
    shared_record sender;
    std::uint32_t bucket_count = 1;
    std::vector<std::uint16_t> differing;  // buckets that `entries` tells in full
    std::vector<digest_entry> entries;     // tombstones too
};

struct sync_records {
    std::vector<shared_record> records;
    std::vector<accusation> accusations;
    std::vector<node_id> wanted;
};

using message = std::variant<ping, ping_req, ack, nack, gossip, sync_request, sync_digest, sync_records>;

/// Sizes that a compact binary encoding needs; the codec's tests hold it to them.
std::size_t estimated_bytes(const record& r);
inline constexpr std::size_t accusation_bytes = 76;    // two ids, a number, a kind, a little framing
inline constexpr std::size_t digest_entry_bytes = 42;  // id, number, state
inline constexpr std::size_t message_bytes = 24;       // type, sequence, counts
inline constexpr std::size_t id_bytes = 33;

/// Without headers of the transport: see message_overhead_bytes.
std::size_t estimated_bytes(const message& m);

}  // namespace starling::membership
