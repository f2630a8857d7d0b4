#include "sdk/failures.hpp"

#include "fetch/errc.hpp"
#include "upstream/answer_stream.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <memory>
#include <string>
#include <utility>

namespace starling::sdk {

namespace {

/// OpenAI's word for what is wrong; empty when the body has none.
std::string code_in(std::string_view body) {
    const auto parsed = wire::parse_or_null(body);
    const auto* about = wire::member(parsed, "error");
    return about == nullptr ? std::string{} : std::string(wire::string_member(*about, "code"));
}

/// docs/api.md has the statuses and codes.
error_kind kind_of(int status, std::string_view code) {
    if (code == "context_length_exceeded") {
        return error_kind::too_long;
    }
    switch (status) {
        case 400:
        case 415:
        case 422:
        case 431:
        case 501: return error_kind::invalid_request;
        case 401:
        case 403: return error_kind::unauthorized;
        case 404: return code == "model_not_found" ? error_kind::unknown_model : error_kind::unreachable;
        case 413: return error_kind::too_long;
        case 429: return error_kind::busy;
        case 408:
        case 504: return error_kind::timed_out;
        case 503:
            if (code == "model_loading") {
                return error_kind::loading;
            }
            return code == "overloaded" || code == "queue_full" || code == "too_many_connections"
                       ? error_kind::busy
                       : error_kind::unreachable;
        default: return error_kind::internal;
    }
}

error timed_out(const upstream::server_words& node) {
    return {.kind = error_kind::timed_out, .message = node.name + " took longer than the time that was given to it."};
}

}  // namespace

error refused(int status, std::string_view body, const upstream::server_words& node) {
    const std::string code = code_in(body);
    if (status == 404 && code != "model_not_found") {
        error out = no_starling_node(node);
        out.http_status = status;
        return out;
    }
    return {.kind = kind_of(status, code),
            .message = upstream::error_of(status, body, node).message,
            .http_status = status};
}

error not_reached(const starling::error& why, const upstream::server_words& node) {
    if (why == engine::errc::deadline) {
        return timed_out(node);
    }
    if (why == fetch::errc::cancelled) {
        return {.kind = error_kind::cancelled, .message = "The call was stopped."};
    }
    if (why == fetch::errc::bad_url) {
        return {.kind = error_kind::invalid_request, .message = why.message};
    }
    const bool ours = why == engine::errc::internal || why == fetch::errc::internal;
    return {.kind = ours ? error_kind::internal : error_kind::unreachable,
            .message = ours ? why.message : upstream::unreachable(why, node.name).message};
}

error cut_off(const starling::error& why, const upstream::server_words& node, answer received) {
    error out{.kind = error_kind::interrupted, .message = why.message};
    if (why == engine::errc::deadline) {
        out = timed_out(node);
    } else if (why == fetch::errc::cancelled) {
        out = {.kind = error_kind::cancelled, .message = why.message};
    } else if (why == engine::errc::prompt_too_long) {
        out.kind = error_kind::too_long;
    } else if (why == engine::errc::internal) {
        out.kind = error_kind::internal;
    }
    out.received = std::make_shared<const answer>(std::move(received));
    return out;
}

error no_starling_node(const upstream::server_words& node) {
    return {.kind = error_kind::unreachable,
            .message = node.name + " answers, but is no Starling node; check the address."};
}

}  // namespace starling::sdk
