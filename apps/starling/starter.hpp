// The model that is part of the program (starter.S).
#pragma once

#include <cstddef>
#include <span>

namespace starling::cli {

/// Empty when this build has none.
std::span<const std::byte> built_in_starter();

}  // namespace starling::cli
