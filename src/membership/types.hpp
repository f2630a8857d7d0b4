// The values of membership: signed records, accusations, the state of a member as one node sees it.
#pragma once

#include "base/node_id.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace starling::membership {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;
using byte_string = std::vector<std::byte>;

/// Orders what a node has said about itself: the higher one is the later one.
using incarnation_number = std::uint64_t;

enum class record_kind : std::uint8_t { alive, left };

/// What a node says about itself. Signed by its origin over all other fields, so nobody else can make one. This library
/// never looks into payload or signature and never verifies: the driver drops what does not verify before it gets here.
struct record {
    node_id id;
    incarnation_number incarnation = 0;
    record_kind kind = record_kind::alive;
    byte_string payload;    // addresses, name, role, … encoded elsewhere
    byte_string signature;  // by `id`

    bool operator==(const record&) const = default;
};

/// Records never change once they exist; tables and messages share them. Null in a message counts as absent.
using shared_record = std::shared_ptr<const record>;

enum class member_state : std::uint8_t {
    alive,
    suspect,  // accused; treated as alive until its time is over
    dead,     // did not answer and did not refute
    left,     // said goodbye, signed
};

constexpr const char* to_string(member_state state) {
    switch (state) {
        case member_state::alive: return "alive";
        case member_state::suspect: return "suspect";
        case member_state::dead: return "dead";
        case member_state::left: return "left";
    }
    return "dead";
}

/// suspect: "it did not answer me". dead: "its time to refute is over, as I see it".
enum class claim : std::uint8_t { suspect, dead };

/// What one node says of another. Not signed: an accusation proves nothing, it only asks its subject to answer.
struct accusation {
    node_id subject;
    incarnation_number incarnation = 0;  // of the subject's record that it is about
    claim kind = claim::suspect;
    node_id accuser;

    bool operator==(const accusation&) const = default;
};

}  // namespace starling::membership
