// What a node says about itself on the local network: that it is there, where it listens for QUIC, how it is called,
// and whether it belongs to a mesh or looks for one. Signed by the node's key. Pure, fuzzed.
//
// What its fields give away is said in docs/mesh.md. A member shows a tag of its mesh and not the mesh id: whoever
// knows the id (members, and those with an invite) recognises the mesh, and nobody learns the id from a beacon, so that
// nobody can look for that mesh elsewhere. The tag stays the same, as the node id does, which has to be there for QUIC.
//
// The address is not in it: it is the source of the datagram. So a beacon can be repeated from another address within
// the clock skew; a connection there fails, because QUIC proves the key.
//
// One datagram, numbers big-endian:
//   "starling" 8 · version 1 · kind 1 · flags 1 · mesh tag 16 · node id 32 · port 2 · seconds since 1970 8 ·
//   name (length 2, at most 64) · what later versions add · Ed25519 signature 64 over "starling lan beacon", a zero
//   byte and all that precedes it
#pragma once

#include "base/node_id.hpp"
#include "base/result.hpp"
#include "keys/keys.hpp"
#include "wire/byte_codec.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace starling::discovery {

using unix_time_s = std::int64_t;

inline constexpr std::size_t max_beacon_bytes = 512;  // fits any link; today's take at most 199
inline constexpr std::size_t max_name_bytes = 64;     // as in a member's record
inline constexpr unix_time_s clock_skew_s = 300;      // as in admission: how far clocks of members may be apart

enum class beacon_kind : std::uint8_t {
    member = 1,   // belongs to the mesh of the tag
    seeking = 2,  // belongs to none and asks to be let into one
};

using mesh_tag = std::array<std::uint8_t, 16>;  // long enough that no two meshes meet in one

/// The beginning of SHA-256("starling lan", zero byte, mesh id).
mesh_tag tag_of(const node_id& mesh);

struct beacon {
    beacon_kind kind = beacon_kind::seeking;
    bool wants_answer = false;  // has just come: whoever hears it says soon that it is there too
    mesh_tag mesh{};            // zero while seeking
    node_id node;
    std::uint16_t port = 0;  // of its QUIC endpoint; never 0
    unix_time_s sent_s = 0;
    std::string name;  // as base/shown_name leaves it
};

/// Signed by `by`, whose id is written for `from.node`.
wire::bytes encode(const beacon& from, const keys::key_pair& by);

/// Checks the form alone. Errors: wire::errc::malformed, unsupported (of a later version).
result<beacon> parse_beacon(std::span<const std::uint8_t> datagram);

/// True when the node that the beacon names has signed the datagram it was parsed from.
bool is_signed(std::span<const std::uint8_t> datagram, const beacon& parsed);

/// Within the clock skew of now.
bool is_fresh(const beacon& of, unix_time_s now);

}  // namespace starling::discovery
