// Where an upstream server is. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace starling::upstream {

/// The base of the API's paths: "http://host:8080" becomes "http://host:8080/v1"; a URL that has a path of its own is
/// taken as it is, because not every server calls it /v1. Error: engine::errc::invalid_request, for anything that is
/// not http or https, and for a URL with a user name, a query or a fragment: what is secret goes into the key file.
/// `called` is how messages call the URL.
result<std::string> api_base(std::string_view url, std::string_view called = "The upstream URL");

}  // namespace starling::upstream
