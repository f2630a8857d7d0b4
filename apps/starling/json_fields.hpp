// Fields of JSON that another program wrote: what is missing, or of another kind, is empty and no error.
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace starling::cli {

std::string text_of(const boost::json::object& from, std::string_view name);
/// 0 when there is none.
double number_of(const boost::json::object& from, std::string_view name);
std::optional<double> maybe_number_of(const boost::json::object& from, std::string_view name);
bool flag_of(const boost::json::object& from, std::string_view name);
/// Lives as long as `from`, or for ever.
const boost::json::object& object_of(const boost::json::object& from, std::string_view name);
const boost::json::array& array_of(const boost::json::object& from, std::string_view name);

}  // namespace starling::cli
