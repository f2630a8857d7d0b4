// The page at / of a build without the web console: what this node is and how to talk to it, without scripts and
// without anything from elsewhere.
#pragma once

#include <string_view>

namespace starling::api {

extern const std::string_view start_page_html;

inline constexpr std::string_view start_page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace starling::api
