// Why a line of the control socket is refused.
#pragma once

#include "base/result.hpp"

namespace starling::netlab {

enum class errc {
    unknown_command = 1,
    bad_arguments,  // too few, too many, or no such host or value
};

constexpr const char* category_name(errc) {
    return "netlab";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::unknown_command: return "unknown command";
        case errc::bad_arguments: return "bad arguments";
    }
    return "unknown error";
}

}  // namespace starling::netlab

template <>
struct std::is_error_code_enum<starling::netlab::errc> : std::true_type {};
