// Strict reading of JSON fields that remembers the first thing that is wrong, so that a parser reads as a list of
// fields and not as a list of checks. Private to openai.
#pragma once

#include "openai/request.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace starling::openai {

namespace json = boost::json;

/// The first complaint of a request; later ones are not kept, since they often follow from it.
class complaints {
  public:
    void add(errc code, std::string param, std::string message);
    bool any() const { return first_.has_value(); }
    complaint take() { return std::move(*first_); }

  private:
    std::optional<complaint> first_;
};

/// "a string", "an array", …
std::string_view kind_of(const json::value& value);

/// Fields of one JSON object. A field that is absent or null is not there. A wrong type or range is reported and then
/// read as absent.
class field_reader {
  public:
    /// `path` is how the object is named in complaints: "" for the request itself, else "messages[0]".
    field_reader(const json::object& object, std::string path, complaints& found);

    const json::value* find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    std::string path_of(std::string_view name) const;

    std::optional<bool> boolean(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most) const;
    std::optional<double> number(std::string_view name, double least, double most) const;
    std::optional<std::string_view> string(std::string_view name) const;
    std::string_view required_string(std::string_view name) const;
    const json::array* array(std::string_view name) const;
    const json::object* object(std::string_view name) const;

    void complain(errc code, std::string_view name, std::string message) const;
    complaints& found() const { return found_; }

  private:
    void wrong_type(std::string_view name, std::string_view expected, const json::value& value) const;

    const json::object& object_;
    std::string path_;
    complaints& found_;
};

/// The request body as an object, or malformed_json / invalid_value.
parsed<json::value> parse_body(std::string_view body);

}  // namespace starling::openai
