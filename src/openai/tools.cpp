#include "openai/tools.hpp"

#include "openai/schema_limits.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace starling::openai {

namespace {

bool is_tool_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= max_tool_name && std::all_of(name.begin(), name.end(), allowed);
}

std::string read_schema(const field_reader& fields, std::string_view name, const json::object& schema) {
    if (const auto fault = schema_fault(schema)) {
        fields.complain(errc::invalid_value, name,
                        fmt::format("'{}' cannot be used as a schema: {}.", fields.path_of(name), *fault));
    }
    return json::serialize(schema);
}

engine::tool read_tool(const field_reader& fields) {
    engine::tool tool;
    const auto type = fields.required_string("type");
    if (type != "function") {
        fields.complain(errc::unsupported_value, "type",
                        fmt::format("'{}' must be 'function'; no other tools are offered.", fields.path_of("type")));
        return tool;
    }
    const auto* function = fields.object("function");
    if (function == nullptr) {
        fields.complain(errc::missing_value, "function", fmt::format("'{}' is missing.", fields.path_of("function")));
        return tool;
    }
    const field_reader inner(*function, fields.path_of("function"), fields.found());
    tool.name = inner.required_string("name");
    if (!is_tool_name(tool.name)) {
        inner.complain(errc::invalid_value, "name",
                       fmt::format("'{}' must have from 1 to {} letters, digits, '_' or '-'.", inner.path_of("name"),
                                   max_tool_name));
    }
    tool.description = inner.string("description").value_or(std::string_view{});
    const auto* parameters = inner.object("parameters");
    tool.parameters = parameters == nullptr ? "{}" : read_schema(inner, "parameters", *parameters);
    return tool;
}

std::vector<engine::tool> read_tool_list(const field_reader& fields) {
    std::vector<engine::tool> tools;
    const auto* array = fields.array("tools");
    if (array == nullptr) {
        return tools;
    }
    if (array->size() > max_tools) {
        fields.complain(errc::invalid_value, "tools", fmt::format("'tools' may hold at most {} tools.", max_tools));
        return tools;
    }
    for (std::size_t i = 0; i < array->size() && !fields.found().any(); ++i) {
        const auto path = fmt::format("tools[{}]", i);
        if (!(*array)[i].is_object()) {
            fields.found().add(errc::invalid_value, path,
                               fmt::format("'{}' must be an object, but it is {}.", path, kind_of((*array)[i])));
            break;
        }
        tools.push_back(read_tool(field_reader((*array)[i].get_object(), path, fields.found())));
    }
    return tools;
}

void keep_only(const field_reader& fields, std::string_view name, engine::chat_prompt& into) {
    std::erase_if(into.tools, [&](const engine::tool& tool) { return tool.name != name; });
    if (into.tools.empty()) {
        fields.complain(errc::invalid_value, "tool_choice",
                        "'tool_choice' names a function that is not among the 'tools' of this request.");
    }
    into.tool_choice = engine::tool_choice::required;
}

void read_named_choice(const field_reader& fields, const json::object& choice, engine::chat_prompt& into) {
    const field_reader outer(choice, "tool_choice", fields.found());
    if (outer.required_string("type") != "function") {
        outer.complain(errc::unsupported_value, "type", "'tool_choice.type' must be 'function'.");
        return;
    }
    const auto* function = outer.object("function");
    if (function == nullptr) {
        outer.complain(errc::missing_value, "function", "'tool_choice.function' is missing.");
        return;
    }
    const auto name = field_reader(*function, "tool_choice.function", fields.found()).required_string("name");
    if (!fields.found().any()) {
        keep_only(fields, name, into);
    }
}

void read_tool_choice(const field_reader& fields, engine::chat_prompt& into) {
    const auto* choice = fields.find("tool_choice");
    if (choice == nullptr) {
        return;
    }
    if (choice->is_object()) {
        read_named_choice(fields, choice->get_object(), into);
        return;
    }
    const std::string_view name = choice->is_string() ? std::string_view(choice->get_string()) : std::string_view{};
    if (name == "none") {
        into.tool_choice = engine::tool_choice::none;
    } else if (name == "required") {
        into.tool_choice = engine::tool_choice::required;
    } else if (name != "auto") {
        fields.complain(errc::invalid_value, "tool_choice",
                        "'tool_choice' must be 'auto', 'none', 'required' or an object that names a function.");
    }
    if (into.tool_choice == engine::tool_choice::required && into.tools.empty()) {
        fields.complain(errc::invalid_value, "tool_choice", "'tool_choice' requires a tool, but 'tools' has none.");
    }
}

}  // namespace

void read_tools(const field_reader& fields, engine::chat_prompt& into) {
    if (fields.has("functions") || fields.has("function_call")) {
        fields.complain(errc::unsupported_value, fields.has("functions") ? "functions" : "function_call",
                        "'functions' and 'function_call' are not offered; use 'tools' and 'tool_choice'.");
        return;
    }
    into.tools = read_tool_list(fields);
    read_tool_choice(fields, into);
    into.parallel_tool_calls = fields.boolean("parallel_tool_calls").value_or(false);
}

void read_response_format(const field_reader& fields, engine::chat_prompt& into) {
    const auto* format = fields.object("response_format");
    if (format == nullptr) {
        return;
    }
    const field_reader outer(*format, "response_format", fields.found());
    const auto type = outer.required_string("type");
    if (type == "text") {
        return;
    }
    if (type == "json_object") {
        into.format = engine::output_format::json_object;
        return;
    }
    if (type != "json_schema") {
        outer.complain(errc::invalid_value, "type",
                       "'response_format.type' must be 'text', 'json_object' or 'json_schema'.");
        return;
    }
    const auto* named = outer.object("json_schema");
    if (named == nullptr) {
        outer.complain(errc::missing_value, "json_schema", "'response_format.json_schema' is missing.");
        return;
    }
    const field_reader inner(*named, "response_format.json_schema", fields.found());
    const auto* schema = inner.object("schema");
    if (schema == nullptr) {
        inner.complain(errc::missing_value, "schema", "'response_format.json_schema.schema' is missing.");
        return;
    }
    inner.boolean("strict");  // checked for its type; output always follows the schema strictly
    into.format = engine::output_format::json_schema;
    into.json_schema = read_schema(inner, "schema", *schema);
}

}  // namespace starling::openai
