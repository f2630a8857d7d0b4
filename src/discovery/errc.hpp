// Why nobody can be found on the local network.
#pragma once

#include "base/result.hpp"

namespace starling::discovery {

enum class errc {
    no_interface = 1,  // none that can multicast
    no_socket,         // the system gives no socket for it
};

constexpr const char* category_name(errc) {
    return "discovery";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::no_interface: return "no interface";
        case errc::no_socket: return "no socket";
    }
    return "unknown error";
}

}  // namespace starling::discovery

template <>
struct std::is_error_code_enum<starling::discovery::errc> : std::true_type {};
