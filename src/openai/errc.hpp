// Why a request was refused before any model saw it. error_body.hpp turns these into HTTP statuses.
#pragma once

#include "base/result.hpp"

namespace starling::openai {

enum class errc {
    malformed_json = 1,
    invalid_value,  // wrong type or out of range
    missing_value,
    unsupported_value,  // meaningful in the OpenAI API, not offered here
    invalid_api_key,
    origin_not_allowed,
    unknown_route,
    wrong_method,
    wrong_media_type,
    malformed_http,
    body_too_large,
    headers_too_large,
    too_many_connections,
};

constexpr const char* category_name(errc) {
    return "openai";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::malformed_json: return "malformed JSON";
        case errc::invalid_value: return "invalid value";
        case errc::missing_value: return "missing value";
        case errc::unsupported_value: return "unsupported value";
        case errc::invalid_api_key: return "invalid API key";
        case errc::origin_not_allowed: return "origin not allowed";
        case errc::unknown_route: return "unknown route";
        case errc::wrong_method: return "wrong method";
        case errc::wrong_media_type: return "wrong media type";
        case errc::malformed_http: return "malformed HTTP";
        case errc::body_too_large: return "body too large";
        case errc::headers_too_large: return "headers too large";
        case errc::too_many_connections: return "too many connections";
    }
    return "unknown error";
}

}  // namespace starling::openai

template <>
struct std::is_error_code_enum<starling::openai::errc> : std::true_type {};
