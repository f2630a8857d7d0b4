// Why a generator refused or stopped. openai/error_body.hpp turns these into HTTP statuses, and nothing else does.
#pragma once

#include "base/result.hpp"

namespace starling::engine {

enum class errc {
    invalid_request = 1,  // the request cannot be carried out by this model, whoever tries
    prompt_too_long,      // the prompt alone does not fit the context; the message has the numbers
    queue_full,           // too many requests are waiting; try again later
    overloaded,           // the machine has no capacity left (route/health.hpp); another one may
    loading,              // the model is not ready yet
    unavailable,          // the backend cannot be reached or was stopped
    unknown_model,
    unsupported,     // a feature that this backend does not have
    deadline,        // the call's deadline passed
    upstream_error,  // the upstream server answered with an error
    internal,
};

constexpr const char* category_name(errc) {
    return "engine";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::invalid_request: return "invalid request";
        case errc::prompt_too_long: return "prompt too long";
        case errc::queue_full: return "queue full";
        case errc::overloaded: return "node overloaded";
        case errc::loading: return "model is loading";
        case errc::unavailable: return "backend unavailable";
        case errc::unknown_model: return "unknown model";
        case errc::unsupported: return "not supported by this backend";
        case errc::deadline: return "deadline passed";
        case errc::upstream_error: return "upstream error";
        case errc::internal: return "internal error";
    }
    return "unknown error";
}

}  // namespace starling::engine

template <>
struct std::is_error_code_enum<starling::engine::errc> : std::true_type {};
