#include "gguf/kernel_copy.hpp"

#include <unistd.h>

namespace starling::gguf {

#ifdef __linux__

std::uint64_t copy_in_kernel(int from, std::uint64_t source, int to, std::uint64_t target, std::uint64_t count) {
    auto in = static_cast<off_t>(source);
    auto out = static_cast<off_t>(target);
    const ssize_t moved = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(count), 0);
    return moved > 0 ? static_cast<std::uint64_t>(moved) : 0;
}

#else

std::uint64_t copy_in_kernel(int, std::uint64_t, int, std::uint64_t, std::uint64_t) {
    return 0;
}

#endif

}  // namespace starling::gguf
