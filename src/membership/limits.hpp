// Every limit and every pace of membership, with its reason. Figures at 10, 100 and 1,000 nodes: ./dev sim.
#pragma once

#include "membership/types.hpp"

namespace starling::membership {

using namespace std::chrono_literals;

// --- sizes ---
inline constexpr std::size_t max_members = 4096;       // with tombstones; one sync digest of all still is one frame
inline constexpr std::size_t max_payload_bytes = 512;  // a name, a role and a handful of addresses; two fit a datagram
inline constexpr std::size_t max_signature_bytes = 128;            // Ed25519 takes 64; room for a delegated key
inline constexpr incarnation_number max_incarnation = 1ULL << 53;  // exact in JSON; a raise a second lasts for ages
inline constexpr std::size_t datagram_bytes = 1200;                // what every path carries whole (RFC 9000, 14.1)
inline constexpr std::size_t message_overhead_bytes = 50;  // IP and UDP headers, a short QUIC header and its tag
inline constexpr std::size_t max_news_per_message = 32;    // more than fit a datagram; a liar's message is cut here
inline constexpr std::size_t max_sync_bytes = 256 * 1024;  // of records in one message; the rest comes next time
inline constexpr std::size_t sync_buckets = 256;           // 2 KB of sums tell which 1/256 of the members differ
inline constexpr std::size_t members_per_sync_bucket = 4;  // small meshes need no 2 KB to find nothing
inline constexpr std::size_t max_sync_answers_per_s = 32;  // an answer is O(members): nobody makes us do it all day
inline constexpr std::size_t max_probes_in_flight = 32;    // rounds overlap a few times when they are slow, not more
inline constexpr std::size_t max_relays_in_flight = 128;   // pings on behalf of others; beyond that we say no at once
inline constexpr std::size_t max_contacts = 8;             // nodes asked again and again until they are known

// --- probing ---
inline constexpr duration probe_period = 500ms;      // one member asked twice a second: a death is met within 3 s
inline constexpr duration probe_round = 1s;          // then the round has failed; indirect answers take two round trips
inline constexpr duration ping_again_after = 300ms;  // longer than a round trip across an ocean
inline constexpr int max_pings_per_round = 4;        // direct ones: at 30 % loss nine in ten get an answer
inline constexpr std::size_t helpers = 4;          // after three pings of our own: 1 false alarm in 900,000 at 5 % loss
inline constexpr duration relay_wait = 450ms;      // a helper says no in time for the round that asked
inline constexpr int max_local_health = 4;         // Lifeguard: at worst everything takes five times as long
inline constexpr double greetings_per_dead = 1.0;  // pings per period that a dead member gets from all together
inline constexpr duration stall_after = 5s;        // not asked to work for so long: asleep, and no judge of others

// --- suspicion ---
inline constexpr duration patience_base = 1200ms;  // × log10(members): accusation and refutation both cross the mesh
inline constexpr int patience_stretch = 3;         // one accuser alone waits so many times longer
inline constexpr int confirmations = 3;            // independent accusers beyond the first that end the stretch
inline constexpr int strikes_to_die = 2;           // failed probe rounds of our own that end the stretch
inline constexpr duration raise_pace = 200ms;      // between two new incarnations: liars cannot keep us signing

// --- news ---
inline constexpr duration gossip_period = 200ms;   // while there is news; a thousand nodes know in about a second
inline constexpr duration gossip_at_least = 20ms;  // between two rounds however urgent the news
inline constexpr std::size_t gossip_fanout = 3;    // members told in one round
inline constexpr double gossip_lambda = 4.0;       // × log10(members + 1): times that we tell each piece of news
inline constexpr std::size_t max_news = 256;       // told in a minute; what is more than that, syncs carry better
inline constexpr std::size_t much_news = 32;       // more than a few messages: what others tell us is not told so often
inline constexpr std::size_t leave_fanout = 8;     // told at once by one who leaves and cannot stay to repeat it
inline constexpr duration answer_pace = 200ms;     // unasked answers to one member
inline constexpr duration introduction_pace = 100ms;  // questions to senders whom we do not know

// --- anti-entropy ---
inline constexpr duration sync_period = 30s;        // what gossip missed; costs 70 B/s when nothing differs
inline constexpr duration sync_soon = 500ms;        // after a sync that changed something; then twice as long each time
inline constexpr duration sync_after_verdict = 3s;  // a death that only we believe in is found out so soon
inline constexpr std::size_t many_changes = 8;    // records in one sync that gossip need not repeat: syncs spread them
inline constexpr duration join_retry = 1s;        // a contact that did not answer is asked again,
inline constexpr duration join_retry_most = 10s;  // in the end this seldom: it may never have existed

// --- tombstones ---
inline constexpr duration dead_kept = 24h;      // greeted so long: a partition of a day heals by itself
inline constexpr duration left_kept = 1h;       // outlives every copy of the old record that is still on its way
inline constexpr duration expiry_period = 60s;  // how often tombstones are looked through

}  // namespace starling::membership
