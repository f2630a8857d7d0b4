// The wall clock, where dates of certificates and files are compared with it. Pure code gets times passed in.
#pragma once

#include <chrono>
#include <cstdint>

namespace starling {

/// Seconds since 1970.
inline std::int64_t unix_time_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace starling
