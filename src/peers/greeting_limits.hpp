// What bounds every conversation before a node is known to belong.
#pragma once

#include "base/result.hpp"
#include "transport/transport.hpp"
#include "wire/errc.hpp"

#include <chrono>
#include <cstddef>

namespace starling::peers {

inline constexpr std::chrono::seconds greeting_time{10};  // an honest node needs a round trip
inline constexpr std::size_t greeting_bytes = 4'096;      // a certificate with its chain is 600 as text

inline transport::steady_time soon() {
    return std::chrono::steady_clock::now() + greeting_time;
}

inline error out_of_turn() {
    return fail(wire::errc::malformed, "The other node sent something else than a greeting.");
}

}  // namespace starling::peers
