// Errors as OpenAI clients expect them. `classify` is the one place where an error becomes an HTTP status.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace starling::openai {

struct error_class {
    int status = 500;
    std::string_view type;     // invalid_request_error, authentication_error, rate_limit_error, server_error
    std::string_view code;     // machine-readable; empty: null
    int retry_after_s = 0;     // 0: no Retry-After header
    bool is_internal = false;  // the message must not reach the client
};

error_class classify(const std::error_code& code);

/// {"error":{"message","type","param","code"}}. Messages of internal errors are replaced by a plain sentence: the log
/// has the details. `param` names the field at fault, or is empty.
std::string error_body(const error& why, std::string_view param = {});

}  // namespace starling::openai
