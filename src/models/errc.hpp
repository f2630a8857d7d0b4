// Why a model file cannot be had.
#pragma once

#include "base/result.hpp"

namespace starling::models {

enum class errc {
    bad_reference = 1,  // not a model reference, or an unsafe name in one
    not_found,          // no such file, model or repository
    not_here,           // known to the hub perhaps, but not downloaded
    needs_token,        // the hub wants an access token, or refuses the one it got
    no_space,           // the disk is too small; the message has the numbers
    too_large,          // would not fit the memory; the message has the numbers
    wrong_hash,         // what came is not what was published; it was removed
    wrong_size,
    bad_model,    // not a GGUF model that can be run
    hub_failed,   // the hub answered with an error
    unreachable,  // no connection, or cut again and again
    io_failed,    // reading or writing on this machine failed
    busy,         // in use
    cancelled,
};

constexpr const char* category_name(errc) {
    return "models";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::bad_reference: return "bad model reference";
        case errc::not_found: return "model not found";
        case errc::not_here: return "model not downloaded";
        case errc::needs_token: return "access token needed";
        case errc::no_space: return "not enough disk space";
        case errc::too_large: return "not enough memory";
        case errc::wrong_hash: return "wrong checksum";
        case errc::wrong_size: return "wrong size";
        case errc::bad_model: return "unusable model";
        case errc::hub_failed: return "hub error";
        case errc::unreachable: return "hub unreachable";
        case errc::io_failed: return "file error";
        case errc::busy: return "in use";
        case errc::cancelled: return "cancelled";
    }
    return "unknown error";
}

}  // namespace starling::models

template <>
struct std::is_error_code_enum<starling::models::errc> : std::true_type {};
