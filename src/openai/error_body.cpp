#include "openai/error_body.hpp"

#include "engine/errc.hpp"
#include "openai/errc.hpp"
#include "openai/json_text.hpp"

namespace starling::openai {

namespace {

constexpr std::string_view invalid_request = "invalid_request_error";
constexpr std::string_view server_error = "server_error";
constexpr int queue_retry_s = 1;    // a slot comes free within an answer's length
constexpr int loading_retry_s = 2;  // local models load in seconds

error_class classify_engine(engine::errc code) {
    switch (code) {
        case engine::errc::invalid_request: return {400, invalid_request, "invalid_request"};
        case engine::errc::prompt_too_long: return {400, invalid_request, "context_length_exceeded"};
        case engine::errc::queue_full: return {429, "rate_limit_error", "queue_full", queue_retry_s};
        case engine::errc::overloaded: return {503, server_error, "overloaded", queue_retry_s};
        case engine::errc::loading: return {503, server_error, "model_loading", loading_retry_s};
        case engine::errc::unavailable: return {503, server_error, "unavailable", loading_retry_s};
        case engine::errc::unknown_model: return {404, invalid_request, "model_not_found"};
        case engine::errc::unsupported: return {400, invalid_request, "unsupported"};
        case engine::errc::deadline: return {504, server_error, "timeout"};
        case engine::errc::upstream_error: return {502, server_error, "upstream_error"};
        case engine::errc::internal: break;
    }
    return {500, server_error, "internal_error", 0, true};
}

error_class classify_request(errc code) {
    switch (code) {
        case errc::malformed_json: return {400, invalid_request, "malformed_json"};
        case errc::invalid_value: return {400, invalid_request, "invalid_value"};
        case errc::missing_value: return {400, invalid_request, "missing_value"};
        case errc::unsupported_value: return {400, invalid_request, "unsupported_value"};
        case errc::invalid_api_key: return {401, "authentication_error", "invalid_api_key"};
        case errc::origin_not_allowed: return {403, invalid_request, "origin_not_allowed"};
        case errc::unknown_route: return {404, invalid_request, "unknown_url"};
        case errc::wrong_method: return {405, invalid_request, "method_not_allowed"};
        case errc::wrong_media_type: return {415, invalid_request, "unsupported_media_type"};
        case errc::malformed_http: return {400, invalid_request, "malformed_http"};
        case errc::body_too_large: return {413, invalid_request, "body_too_large"};
        case errc::headers_too_large: return {431, invalid_request, "headers_too_large"};
        case errc::too_many_connections: return {503, server_error, "too_many_connections", queue_retry_s};
    }
    return {500, server_error, "internal_error", 0, true};
}

}  // namespace

error_class classify(const std::error_code& code) {
    if (code.category() == enum_category<engine::errc>::instance()) {
        return classify_engine(static_cast<engine::errc>(code.value()));
    }
    if (code.category() == enum_category<errc>::instance()) {
        return classify_request(static_cast<errc>(code.value()));
    }
    return {500, server_error, "internal_error", 0, true};
}

std::string error_body(const error& why, std::string_view param) {
    const auto kind = classify(why.code);
    std::string out = R"({"error":{"message":)";
    append_json_string(out, kind.is_internal ? "The node could not finish this request. Its log says why, under the "
                                               "x-request-id of this answer."
                                             : std::string_view(why.message));
    out += R"(,"type":)";
    append_json_string(out, kind.type);
    out += R"(,"param":)";
    append_json_string_or_null(out, param);
    out += R"(,"code":)";
    append_json_string_or_null(out, kind.code);
    out += "}}";
    return out;
}

}  // namespace starling::openai
