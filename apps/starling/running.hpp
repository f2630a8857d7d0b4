// Runs a node in the foreground until it ends or a signal asks it to, again where it asks for that; for `serve` and for
// the idle mode.
#pragma once

#include "node/node.hpp"

#include <string>
#include <vector>

namespace starling::cli {

/// `hints` are printed for people once the node is ready. Gives the exit code.
int run_node(settings::config settings, node::purpose why, std::vector<std::string> hints);

}  // namespace starling::cli
