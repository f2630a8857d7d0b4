// Why a connection to a peer, or a stream on it, could not do what was asked.
#pragma once

#include "base/result.hpp"

namespace starling::transport {

enum class errc {
    unreachable = 1,  // no answer from that address
    wrong_peer,       // somebody else answered
    closed,           // the connection has ended
    reset,            // the other side gave this stream up
    deadline,         // the time for the call is over
    too_large,        // more than a datagram carries
    cannot_listen,    // the address is taken or not of this machine
    stopped,          // the endpoint was stopped
    internal,
};

constexpr const char* category_name(errc) {
    return "transport";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::unreachable: return "peer unreachable";
        case errc::wrong_peer: return "wrong peer";
        case errc::closed: return "connection closed";
        case errc::reset: return "stream reset";
        case errc::deadline: return "deadline exceeded";
        case errc::too_large: return "datagram too large";
        case errc::cannot_listen: return "cannot listen";
        case errc::stopped: return "endpoint stopped";
        case errc::internal: return "internal error";
    }
    return "unknown error";
}

}  // namespace starling::transport

template <>
struct std::is_error_code_enum<starling::transport::errc> : std::true_type {};
