// Bodies of the node's own endpoints. Private to api.
#pragma once

#include "api/call.hpp"
#include "openai/field_reader.hpp"

#include <optional>
#include <string>

namespace starling::api {

/// The body as an object; nothing when it is none, and the call is answered with what is wrong.
std::optional<boost::json::value> read_body(call& call, const std::string& body);

/// True when there was something to complain about, and the call is answered with it.
bool complain(call& call, openai::complaints& found);

}  // namespace starling::api
