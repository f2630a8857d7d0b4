// Why somebody is not let in.
#pragma once

#include "base/result.hpp"

namespace starling::admission {

enum class errc {
    malformed = 1,
    wrong_mesh,
    forged,  // a signature that nobody of the mesh has made
    expired,
    not_yet_valid,
    revoked,
    not_allowed,     // the signer may not admit or revoke
    unknown_invite,  // not written by this node, or long gone
    used,            // by somebody else
    full,
};

constexpr const char* category_name(errc) {
    return "admission";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::malformed: return "malformed";
        case errc::wrong_mesh: return "wrong mesh";
        case errc::forged: return "forged";
        case errc::expired: return "expired";
        case errc::not_yet_valid: return "not yet valid";
        case errc::revoked: return "revoked";
        case errc::not_allowed: return "not allowed";
        case errc::unknown_invite: return "unknown invite";
        case errc::used: return "invite already used";
        case errc::full: return "full";
    }
    return "unknown error";
}

}  // namespace starling::admission

template <>
struct std::is_error_code_enum<starling::admission::errc> : std::true_type {};
