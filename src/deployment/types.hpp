// The values of a deployment: claims, plans, what a coordinator tells the mesh, and what can go wrong with a stage.
#pragma once

#include "base/node_id.hpp"

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace starling::deployment {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

using term_number = std::uint64_t;   // who coordinates: a successor takes a higher one
using epoch_number = std::uint32_t;  // which attempt of one coordinator in one term

/// The right to hold stages of one model. Ordered by term, then coordinator, then epoch: of any two claims everybody
/// says without asking which is the greater, so a tie of terms needs no vote.
struct claim {
    term_number term = 0;
    node_id coordinator;
    epoch_number epoch = 0;

    auto operator<=>(const claim&) const = default;
};

/// Of another coordinator or another term: only these stand down for each other; epochs merely follow each other.
inline bool outranks(const claim& a, const claim& b) {
    return a.term != b.term ? a.term > b.term : a.coordinator > b.coordinator;
}

inline bool same_reign(const claim& a, const claim& b) {
    return a.term == b.term && a.coordinator == b.coordinator;
}

/// Layers first … end - 1 of the whole model.
struct layer_range {
    std::uint32_t first = 0;
    std::uint32_t end = 0;

    bool operator==(const layer_range&) const = default;
};

struct stage {
    node_id node;
    layer_range layers;

    bool operator==(const stage&) const = default;
};

/// In the order of the layers, without gaps; the coordinator is the last.
using plan = std::vector<stage>;

/// What was asked for: all that a stage needs to take the coordinator's place.
struct want_record {
    std::string model;         // as in /v1/models
    std::uint32_t stages = 0;  // of --split N; 0: as many as it takes
    std::uint32_t context = 0;
    std::uint32_t slots = 0;

    bool operator==(const want_record&) const = default;
};

enum class announced_state : std::uint8_t {
    forming,    // plans, or waits for stages to load
    serving,    // the route is published
    repairing,  // has served and will again
    starved,    // cannot be placed; holds no stage and waits
    leaving,    // serves until somebody else claims: claim now
    retired,    // nobody is to take its place
};

constexpr const char* to_string(announced_state state) {
    switch (state) {
        case announced_state::forming: return "forming";
        case announced_state::serving: return "serving";
        case announced_state::repairing: return "repairing";
        case announced_state::starved: return "starved";
        case announced_state::leaving: return "leaving";
        case announced_state::retired: return "retired";
    }
    return "forming";
}

/// What a coordinator tells every member about one model, again and again, as part of its status.
struct announcement {
    claim by;
    announced_state state = announced_state::forming;
    std::vector<stage> stages;  // of the plan in force; none while it plans
    want_record want;
    std::string reason;  // why it is starved, for people

    bool operator==(const announcement&) const = default;
};

/// Why a stage does not serve, or no longer.
enum class trouble_kind : std::uint8_t {
    held,        // refused: a greater claim has this stage
    revoked,     // was ours; a greater claim has it now
    superseded,  // was ours; a later epoch of our own has it now, or asked for an epoch that is over
    memory,      // refused: not enough is free
    no_file,     // refused: the node cannot get the layers
    failed,      // it could not load, or broke later
    lost,        // the control stream ended, or never came about
    leaving,     // its node says goodbye
};

constexpr const char* to_string(trouble_kind kind) {
    switch (kind) {
        case trouble_kind::held: return "held";
        case trouble_kind::revoked: return "revoked";
        case trouble_kind::superseded: return "superseded";
        case trouble_kind::memory: return "memory";
        case trouble_kind::no_file: return "no_file";
        case trouble_kind::failed: return "failed";
        case trouble_kind::lost: return "lost";
        case trouble_kind::leaving: return "leaving";
    }
    return "failed";
}

struct trouble {
    trouble_kind kind = trouble_kind::failed;
    std::optional<claim> holder = {};  // of held, revoked and superseded
    bool holder_connected = false;     // the holder's control stream is open: it is no leftover of somebody gone

    bool operator==(const trouble&) const = default;
};

}  // namespace starling::deployment
