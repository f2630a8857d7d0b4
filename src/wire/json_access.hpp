// Reading JSON that somebody else wrote: every accessor gives a default where the field is missing or of another type.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling::wire {

namespace json = boost::json;

/// The member, or nothing when it is missing or null.
const json::value* member(const json::value& of, std::string_view name);
const json::array* array_member(const json::value& of, std::string_view name);
/// Empty when missing or not a string.
std::string_view string_member(const json::value& of, std::string_view name);
/// Never NaN; infinite where JSON says 1e999.
std::optional<double> number_member(const json::value& of, std::string_view name);
/// Numbers outside the range of int32 are clamped to it; 0 when missing.
std::int32_t count_member(const json::value& of, std::string_view name);

/// The value of a JSON text; null when it is no JSON. Nesting is bounded by Boost.JSON's own limit (32).
json::value parse_or_null(std::string_view text);

}  // namespace starling::wire
