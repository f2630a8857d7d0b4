// The files that the program carries: the starter model and the web console.
#pragma once

#include <cstddef>
#include <span>

namespace starling::cli {

/// The whole GGUF file; empty in a build without one.
std::span<const std::byte> built_in_starter();

/// As api/console_files.hpp describes it; empty in a build without one.
std::span<const std::byte> built_in_console();

}  // namespace starling::cli
