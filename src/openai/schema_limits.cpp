#include "openai/schema_limits.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>

namespace starling::openai {

namespace {

namespace json = boost::json;

/// A count as JSON may write it: 3 or 3.0. Nothing for anything else.
std::optional<double> count_of(const json::object& schema, std::string_view name) {
    const auto* value = schema.if_contains(name);
    if (value == nullptr || !value->is_number()) {
        return std::nullopt;
    }
    return value->to_number<double>();
}

std::optional<std::string> range_fault(const json::object& schema, std::string_view lowest, std::string_view highest) {
    const auto low = count_of(schema, lowest);
    const auto high = count_of(schema, highest);
    const auto limit = static_cast<double>(max_schema_repetitions);
    if ((low && (*low < 0 || *low > limit)) || (high && *high < 0)) {
        return fmt::format("it has a '{}' or '{}' outside 0 … {}", lowest, highest, max_schema_repetitions);
    }
    if (low && high && *low > *high) {
        return fmt::format("its '{}' of {} is more than its '{}' of {}", lowest, *low, highest, *high);
    }
    return std::nullopt;
}

class measure {
  public:
    /// As deep as the JSON is nested, which its parser limits.
    std::optional<std::string> walk(const json::value& value) {
        if (++values_ > max_schema_values) {
            return fmt::format("it has more than {} values", max_schema_values);
        }
        if (const auto* list = value.if_array()) {
            for (const json::value& item : *list) {
                if (auto fault = walk(item)) {
                    return fault;
                }
            }
        }
        const auto* object = value.if_object();
        return object == nullptr ? std::nullopt : walk(*object);
    }

    std::optional<std::string> walk(const json::object& object) {
        if (object.contains("$ref") && ++references_ > max_schema_references) {
            return fmt::format("it has more than {} '$ref's", max_schema_references);
        }
        if (const auto* properties = object.if_contains("properties");
            properties != nullptr && properties->is_object() &&
            properties->get_object().size() > max_schema_properties) {
            return fmt::format("it has an object with more than {} properties", max_schema_properties);
        }
        for (const auto& [lowest, highest] : {std::pair("minItems", "maxItems"), std::pair("minLength", "maxLength")}) {
            if (auto fault = range_fault(object, lowest, highest)) {
                return fault;
            }
        }
        for (const auto& entry : object) {
            if (auto fault = walk(entry.value())) {
                return fault;
            }
        }
        return std::nullopt;
    }

  private:
    std::size_t values_ = 0;
    std::size_t references_ = 0;
};

}  // namespace

std::optional<std::string> schema_fault(const json::object& schema) {
    return measure().walk(schema);
}

}  // namespace starling::openai
