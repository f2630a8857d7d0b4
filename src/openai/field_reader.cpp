#include "openai/field_reader.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/stream_parser.hpp>

#include <cmath>

namespace starling::openai {

void complaints::add(errc code, std::string param, std::string message) {
    if (!first_) {
        first_ = complaint{fail(code, std::move(message)), std::move(param)};
    }
}

std::string_view kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null: return "null";
        case json::kind::bool_: return "a boolean";
        case json::kind::int64:
        case json::kind::uint64: return "an integer";
        case json::kind::double_: return "a number";
        case json::kind::string: return "a string";
        case json::kind::array: return "an array";
        case json::kind::object: return "an object";
    }
    return "something else";
}

field_reader::field_reader(const json::object& object, std::string path, complaints& found)
    : object_(object), path_(std::move(path)), found_(found) {}

const json::value* field_reader::find(std::string_view name) const {
    const auto* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::string field_reader::path_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void field_reader::complain(errc code, std::string_view name, std::string message) const {
    found_.add(code, path_of(name), std::move(message));
}

void field_reader::wrong_type(std::string_view name, std::string_view expected, const json::value& value) const {
    complain(errc::invalid_value, name,
             fmt::format("'{}' must be {}, but it is {}.", path_of(name), expected, kind_of(value)));
}

std::optional<bool> field_reader::boolean(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_bool()) {
        wrong_type(name, "true or false", *value);
        return std::nullopt;
    }
    return value->get_bool();
}

std::optional<std::int64_t> field_reader::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
    const auto* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::optional<std::int64_t> read;
    if (value->is_int64()) {
        read = value->get_int64();
    } else if (value->is_double() && std::trunc(value->get_double()) == value->get_double() &&
               std::abs(value->get_double()) < 0x1.0p53) {
        read = static_cast<std::int64_t>(value->get_double());  // some clients write 16.0
    } else if (!value->is_uint64()) {
        wrong_type(name, "an integer", *value);
        return std::nullopt;
    }
    if (!read || *read < least || *read > most) {
        complain(errc::invalid_value, name,
                 fmt::format("'{}' must be an integer from {} to {}.", path_of(name), least, most));
        return std::nullopt;
    }
    return read;
}

std::optional<double> field_reader::number(std::string_view name, double least, double most) const {
    const auto* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_number()) {
        wrong_type(name, "a number", *value);
        return std::nullopt;
    }
    const double read = value->to_number<double>();
    if (!(read >= least && read <= most)) {
        complain(errc::invalid_value, name, fmt::format("'{}' must be from {} to {}.", path_of(name), least, most));
        return std::nullopt;
    }
    return read;
}

std::optional<std::string_view> field_reader::string(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        wrong_type(name, "a string", *value);
        return std::nullopt;
    }
    return std::string_view(value->get_string());
}

std::string_view field_reader::required_string(std::string_view name) const {
    if (!has(name)) {
        complain(errc::missing_value, name, fmt::format("'{}' is missing; it must be a string.", path_of(name)));
        return {};
    }
    return string(name).value_or(std::string_view{});
}

const json::array* field_reader::array(std::string_view name) const {
    const auto* value = find(name);
    if (value != nullptr && !value->is_array()) {
        wrong_type(name, "an array", *value);
        return nullptr;
    }
    return value == nullptr ? nullptr : &value->get_array();
}

const json::object* field_reader::object(std::string_view name) const {
    const auto* value = find(name);
    if (value != nullptr && !value->is_object()) {
        wrong_type(name, "an object", *value);
        return nullptr;
    }
    return value == nullptr ? nullptr : &value->get_object();
}

parsed<json::value> parse_body(std::string_view body) {
    json::parse_options options;
    options.max_depth = max_json_depth;
    json::stream_parser parser(json::storage_ptr{}, options);
    boost::system::error_code failed;
    std::size_t read = parser.write_some(body.data(), body.size(), failed);
    if (!failed && read < body.size()) {
        return complaint{
            fail(errc::malformed_json,
                 fmt::format("The request body is not valid JSON: there is more after its end, at byte {}.", read)),
            ""};
    }
    if (!failed) {
        parser.finish(failed);
    }
    if (failed == json::error::too_deep) {
        return complaint{fail(errc::malformed_json,
                              fmt::format("The request body nests JSON deeper than {} levels.", max_json_depth)),
                         ""};
    }
    if (failed) {
        const std::string_view what = body.empty() ? "it is empty" : "a JSON object was expected";
        return complaint{
            fail(errc::malformed_json,
                 fmt::format("The request body is not valid JSON: {} ({}, at byte {}).", what, failed.message(), read)),
            ""};
    }
    auto value = parser.release();
    if (!value.is_object()) {
        return complaint{fail(errc::invalid_value,
                              fmt::format("The request body must be a JSON object, but it is {}.", kind_of(value))),
                         ""};
    }
    return value;
}

}  // namespace starling::openai
