// What is wrong with bytes from another node.
#pragma once

#include "base/result.hpp"

namespace starling::wire {

enum class errc {
    too_large = 1,  // more than anything valid has
    malformed,      // not what it should be
    unsupported,    // of a kind or version that is not known here
};

constexpr const char* category_name(errc) {
    return "wire";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::too_large: return "message too large";
        case errc::malformed: return "malformed message";
        case errc::unsupported: return "unsupported message";
    }
    return "unknown error";
}

}  // namespace starling::wire

template <>
struct std::is_error_code_enum<starling::wire::errc> : std::true_type {};
