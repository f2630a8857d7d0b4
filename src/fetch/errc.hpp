// Why a transfer failed. An HTTP status is not a failure here: 404 is an answer.
#pragma once

#include "base/result.hpp"

namespace starling::fetch {

enum class errc {
    bad_url = 1,     // not http or https, or not a URL
    cannot_resolve,  // the host name has no address
    cannot_connect,  // nobody listens there, or no route
    timed_out,       // connecting took too long, or nothing came for `idle_timeout`
    tls,             // the handshake failed or the certificate is not trusted
    cut,             // the connection ended before the answer did
    too_large,       // the answer is longer than the caller's limit
    cancelled,       // the client was stopped, or the waiting coroutine was cancelled
    internal,
};

constexpr const char* category_name(errc) {
    return "fetch";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::bad_url: return "bad URL";
        case errc::cannot_resolve: return "cannot resolve the host name";
        case errc::cannot_connect: return "cannot connect";
        case errc::timed_out: return "timed out";
        case errc::tls: return "TLS failure";
        case errc::cut: return "connection cut";
        case errc::too_large: return "answer too large";
        case errc::cancelled: return "cancelled";
        case errc::internal: return "internal error";
    }
    return "unknown error";
}

}  // namespace starling::fetch

template <>
struct std::is_error_code_enum<starling::fetch::errc> : std::true_type {};
