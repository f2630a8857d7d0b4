// How long a suspect may take to refute. A pure choice, after Lifeguard (Dadgar, Phillips, Currey: "Lifeguard: SWIM-ing
// with Situational Awareness", DSN 2018): one accuser alone may itself be the one with the broken network, so it waits
// long; the more accusers independently agree, the shorter, down to the time that an accusation and its refutation need
// to cross the mesh.
#pragma once

#include "membership/limits.hpp"

namespace starling::membership {

struct suspicion_view {
    std::size_t members = 1;          // alive or suspect, with ourselves
    std::size_t accusers = 1;         // that we heard of
    int strikes = 0;                  // failed probe rounds of our own
    bool concluded_by_other = false;  // somebody says that its own patience is over
};

/// The least time a suspect gets, whoever says what.
duration least_patience(std::size_t members);

/// From the first accusation on.
duration patience(const suspicion_view& view);

/// How often each piece of news is told by each node.
std::size_t gossip_limit(std::size_t members);

}  // namespace starling::membership
