#include "starter.hpp"

extern "C" {
extern const std::byte starling_starter_begin[] __attribute__((visibility("hidden")));
extern const std::byte starling_starter_end[] __attribute__((visibility("hidden")));
}

namespace starling::cli {

std::span<const std::byte> built_in_starter() {
    return {starling_starter_begin, starling_starter_end};
}

}  // namespace starling::cli
