// How fast this machine reads weights while it decodes: what a plan of a split is made with before anything has run.
#pragma once

#include <cstdint>

namespace starling::node {

/// Bytes per second, by `threads` threads that each read memory of their own. Takes about a tenth of a second; blocks.
double measure_read_speed(std::int32_t threads);

}  // namespace starling::node
