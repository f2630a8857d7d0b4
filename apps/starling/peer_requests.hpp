// starling peers requests, approve CODE, refuse CODE: who asks to be let into the mesh, at the member; starling peers
// confirm CODE: at the node that asks.
#pragma once

#include "verbs.hpp"

namespace starling::cli {

/// Adds them below `peers`.
void add_peer_requests(CLI::App& peers, action& run);

}  // namespace starling::cli
