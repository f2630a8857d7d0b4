// Every limit and every pace of deployments, with its reason. What they add up to is measured in tests/sim.
#pragma once

#include "deployment/types.hpp"

namespace starling::deployment {

using namespace std::chrono_literals;

// --- sizes ---
inline constexpr std::size_t max_stages = 64;           // of one plan: every stage adds a trip to every token
inline constexpr std::size_t max_rivals = 64;           // claims remembered; the greatest stay
inline constexpr std::size_t max_known_members = 4096;  // as in membership
inline constexpr std::size_t max_avoided = 64;          // nodes not to be planned with for a while
inline constexpr std::size_t max_reason_bytes = 600;    // two sentences with the numbers of several machines
inline constexpr std::size_t max_model_name_bytes = 256;

inline constexpr std::uint32_t max_layers = 100'000;    // far more than any model has; bounds what others claim
inline constexpr std::uint32_t max_context = 1U << 30;  // likewise
inline constexpr std::uint32_t max_slots = 4096;

// --- terms ---
/// A term a second for 136 years: no honest mesh is further ahead of a node that has just started.
inline constexpr term_number max_term_leap = 1ULL << 32;
inline constexpr duration term_leap_pace = 1s;  // so the end of the 64 bits is another 136 years of lies away

// --- claiming ---
inline constexpr duration listen_first = 600ms;       // a status crosses the mesh in 500 ms: hear who was earlier
inline constexpr duration start_spread = 400ms;       // then not all at once
inline constexpr duration heard_spread = 60ms;        // the same when all were heard: a claim is told at once
inline constexpr duration withdrawn_listen = 1500ms;  // one that withdrew may have heard of a greater one before us
inline constexpr duration heir_listen = 5s;           // the coordinator that opened a stage is heard long before
inline constexpr duration successor_stagger = 900ms;  // the first successor is heard before the second one's turn
inline constexpr duration successor_jitter = 200ms;   // where two count themselves at the same place

// --- failing ---
inline constexpr duration backoff_least = 500ms;     // a refusal is known after a round trip: a second try soon
inline constexpr duration backoff_most = 30s;        // and not more than a few a minute when it keeps failing
inline constexpr int memory_refusals_to_starve = 5;  // the numbers that plans are made of do not hold here
inline constexpr duration settled_after = 3s;        // a deployment that served so long has had no failures
inline constexpr duration avoid_lost = 10s;          // until membership knows whether it is dead
inline constexpr duration avoid_refusing = 20s;      // until its figures are told again
inline constexpr duration avoid_broken = 60s;        // then its disk or its memory may be better
inline constexpr duration avoid_without_file = 1h;   // or until it was away: files seldom come by themselves
inline constexpr duration avoid_leaving = 60s;       // it is gone by then
inline constexpr duration load_limit = 30min;        // the largest slices come over slow lines; after that it hangs
inline constexpr duration plan_limit = 30s;          // a planner that says nothing is asked again

// --- starving ---
inline constexpr duration mend_patience = 3s;          // a machine is suspected for moments when another one has gone
inline constexpr duration mend_retry = 300ms;          // meanwhile requests wait
inline constexpr duration starved_retry = 30s;         // memory comes back without members changing
inline constexpr duration starved_wake = 500ms;        // after a change: hear first whether somebody serves already
inline constexpr duration starved_pace_first = 500ms;  // between two plans, however often members change; doubled
inline constexpr duration starved_pace = 3s;           // with each that came to nothing, up to this
inline constexpr int starved_doublings = 4;
inline constexpr duration trial_delay = 3s;    // others see whether they can do better than a starved coordinator
inline constexpr duration improve_pace = 60s;  // between two moves of a deployment that serves, at least

// --- leaving ---
inline constexpr duration hand_over_wait = 5s;  // for a successor to claim; a supervisor kills after 10
inline constexpr duration farewell_time = 2s;   // until everybody has heard that there is nothing to take over

// --- stages ---
inline constexpr duration lease_time = 30s;  // layers of a lost coordinator wait for its successor; then memory is free

}  // namespace starling::deployment
