// What can be wrong with what this node wants to say of itself.
#pragma once

#include "base/result.hpp"

namespace starling::membership {

enum class errc {
    payload_too_large = 1,  // more than max_payload_bytes
};

inline const char* category_name(errc) {
    return "membership";
}

inline const char* describe(errc) {
    return "the record of this node is too large to be gossiped";
}

}  // namespace starling::membership

template <>
struct std::is_error_code_enum<starling::membership::errc> : std::true_type {};
