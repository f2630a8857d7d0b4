// Why the HTTP server could not start.
#pragma once

#include "base/result.hpp"

namespace starling::http {

enum class errc {
    bad_address = 1,  // not an IP address of this machine
    port_in_use,
    not_permitted,  // a port below 1024 without the right to it
    cannot_listen,
};

constexpr const char* category_name(errc) {
    return "http";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::bad_address: return "bad address";
        case errc::port_in_use: return "port in use";
        case errc::not_permitted: return "not permitted";
        case errc::cannot_listen: return "cannot listen";
    }
    return "unknown error";
}

}  // namespace starling::http

template <>
struct std::is_error_code_enum<starling::http::errc> : std::true_type {};
