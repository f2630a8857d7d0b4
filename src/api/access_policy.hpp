// Who may ask: API keys, browser origins, and the Host header of nodes that ask for no key. Pure.
#pragma once

#include "http/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace starling::api {

/// Takes as long for a wrong key as for a right one, whatever they have in common.
bool is_known_key(const std::vector<std::string>& keys, std::string_view offered);

/// The token of "Authorization: Bearer TOKEN"; empty when there is none.
std::string_view bearer_token(const http::header_list& headers);

enum class origin_verdict {
    none,       // not a browser, or a plain navigation
    same_site,  // our own page
    allowed,    // on the list: answer with CORS headers
    not_allowed,
};

origin_verdict judge_origin(const std::vector<std::string>& allowed, const http::header_list& headers);

/// What opens the endpoints that change something.
struct control_keys {
    std::string control_token;          // of those who may read the data directory; empty: closed
    std::string console_token;          // of pages of our own; empty: closed
    std::vector<std::string> api_keys;  // empty: none is asked for, so none opens anything
};

/// A console token counts from our own pages alone: with one that has leaked, a page of another origin can do nothing.
bool opens_control(const control_keys& keys, std::string_view offered, origin_verdict origin);

/// False for a Host that is a name other than localhost. A node without API keys refuses those: a web page could point
/// its own name at 127.0.0.1 and so speak to the node as if it were that page's server (DNS rebinding).
bool is_local_host(std::string_view host);

/// CORS headers of an answer to an allowed origin.
http::header_list cors_headers(std::string_view origin);

/// CORS headers of the answer to a preflight.
http::header_list preflight_headers(const http::header_list& request);

}  // namespace starling::api
