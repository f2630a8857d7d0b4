#include "built_in.hpp"

extern "C" {
extern const std::byte starling_starter_begin[] __attribute__((visibility("hidden")));
extern const std::byte starling_starter_end[] __attribute__((visibility("hidden")));
extern const std::byte starling_console_begin[] __attribute__((visibility("hidden")));
extern const std::byte starling_console_end[] __attribute__((visibility("hidden")));
}

namespace starling::cli {

std::span<const std::byte> built_in_starter() {
    return {starling_starter_begin, starling_starter_end};
}

std::span<const std::byte> built_in_console() {
    return {starling_console_begin, starling_console_end};
}

}  // namespace starling::cli
