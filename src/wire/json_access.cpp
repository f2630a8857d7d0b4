#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace starling::wire {

const json::value* member(const json::value& of, std::string_view name) {
    const json::object* object = of.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const json::value* found = object->if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

const json::array* array_member(const json::value& of, std::string_view name) {
    const json::value* found = member(of, name);
    return found == nullptr ? nullptr : found->if_array();
}

std::string_view string_member(const json::value& of, std::string_view name) {
    const json::value* found = member(of, name);
    const json::string* text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string_view{} : std::string_view(text->data(), text->size());
}

std::optional<double> number_member(const json::value& of, std::string_view name) {
    const json::value* found = member(of, name);
    if (found == nullptr || !found->is_number()) {
        return std::nullopt;
    }
    boost::system::error_code failed;
    const double value = found->to_number<double>(failed);
    // Boost.JSON reads 0e999 as no number, which no bound holds.
    return failed || std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

std::int32_t count_member(const json::value& of, std::string_view name) {
    const double value = number_member(of, name).value_or(0.0);
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::clamp(value, 0.0, most));
}

json::value parse_or_null(std::string_view text) {
    boost::system::error_code failed;
    json::value parsed = json::parse(text, failed);
    return failed ? json::value(nullptr) : parsed;
}

}  // namespace starling::wire
