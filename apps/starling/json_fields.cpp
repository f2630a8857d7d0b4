#include "json_fields.hpp"

namespace starling::cli {

namespace json = boost::json;

std::string text_of(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string{} : std::string(text->data(), text->size());
}

std::optional<double> maybe_number_of(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    return value != nullptr && value->is_number() ? std::optional(value->to_number<double>()) : std::nullopt;
}

double number_of(const json::object& from, std::string_view name) {
    return maybe_number_of(from, name).value_or(0.0);
}

bool flag_of(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const bool* flag = value == nullptr ? nullptr : value->if_bool();
    return flag != nullptr && *flag;
}

const json::object& object_of(const json::object& from, std::string_view name) {
    static const json::object empty;
    const json::value* value = from.if_contains(name);
    const json::object* found = value == nullptr ? nullptr : value->if_object();
    return found == nullptr ? empty : *found;
}

const json::array& array_of(const json::object& from, std::string_view name) {
    static const json::array empty;
    const json::value* value = from.if_contains(name);
    const json::array* found = value == nullptr ? nullptr : value->if_array();
    return found == nullptr ? empty : *found;
}

}  // namespace starling::cli
