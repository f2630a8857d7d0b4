// The page at /: what this node is and how to talk to it, without scripts and without anything from elsewhere.
#pragma once

#include <string_view>

namespace starling::api {

extern const std::string_view start_page_html;

}  // namespace starling::api
