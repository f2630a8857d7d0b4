// A copy between two files that never passes through this process: where the file system can, the blocks are shared.
#pragma once

#include <cstdint>

namespace starling::gguf {

/// Copies up to `count` bytes; gives how many, and 0 when the system or these files cannot do it.
std::uint64_t copy_in_kernel(int from, std::uint64_t source, int to, std::uint64_t target, std::uint64_t count);

}  // namespace starling::gguf
