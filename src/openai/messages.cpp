#include "openai/messages.hpp"

#include <fmt/format.h>

namespace starling::openai {

namespace {

std::optional<engine::role> role_of(std::string_view name) {
    if (name == "system" || name == "developer") {
        return engine::role::system;
    }
    if (name == "user") {
        return engine::role::user;
    }
    if (name == "assistant") {
        return engine::role::assistant;
    }
    if (name == "tool") {
        return engine::role::tool;
    }
    return std::nullopt;
}

/// Content parts are joined as they stand: they are pieces of one text.
std::string read_parts(const json::array& parts, const std::string& path, complaints& found) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part_path = fmt::format("{}[{}]", path, i);
        if (!parts[i].is_object()) {
            found.add(errc::invalid_value, part_path,
                      fmt::format("'{}' must be an object, but it is {}.", part_path, kind_of(parts[i])));
            return {};
        }
        const field_reader part(parts[i].get_object(), part_path, found);
        const auto type = part.required_string("type");
        if (type == "text" || type == "refusal") {
            text += part.required_string(type);
        } else if (type == "image_url" || type == "input_audio" || type == "file") {
            part.complain(
                errc::unsupported_value, "type",
                fmt::format("'{}' has the type '{}', but this node's models read text only.", part_path, type));
        } else if (!found.any()) {
            part.complain(errc::invalid_value, "type",
                          fmt::format("'{}' has an unknown type; content parts must have the type 'text'.", part_path));
        }
        if (found.any()) {
            return {};
        }
    }
    return text;
}

std::string read_content(const field_reader& fields, bool may_be_absent) {
    const auto* content = fields.find("content");
    if (content == nullptr) {
        if (!may_be_absent) {
            fields.complain(errc::missing_value, "content",
                            fmt::format("'{}' is missing; it must be a string or an array of content parts.",
                                        fields.path_of("content")));
        }
        return {};
    }
    if (content->is_string()) {
        return std::string(content->get_string());
    }
    if (content->is_array()) {
        return read_parts(content->get_array(), fields.path_of("content"), fields.found());
    }
    fields.complain(errc::invalid_value, "content",
                    fmt::format("'{}' must be a string or an array of content parts, but it is {}.",
                                fields.path_of("content"), kind_of(*content)));
    return {};
}

std::vector<engine::tool_call> read_tool_calls(const field_reader& fields) {
    std::vector<engine::tool_call> calls;
    const auto* array = fields.array("tool_calls");
    if (array == nullptr) {
        return calls;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        const auto path = fmt::format("{}[{}]", fields.path_of("tool_calls"), i);
        if (!(*array)[i].is_object()) {
            fields.found().add(errc::invalid_value, path, fmt::format("'{}' must be an object.", path));
            return {};
        }
        const field_reader call((*array)[i].get_object(), path, fields.found());
        if (const auto type = call.string("type"); type && *type != "function") {
            call.complain(errc::unsupported_value, "type", fmt::format("'{}' must have the type 'function'.", path));
        }
        const auto* function = call.object("function");
        if (function == nullptr) {
            call.complain(errc::missing_value, "function", fmt::format("'{}.function' is missing.", path));
            return {};
        }
        const field_reader inner(*function, call.path_of("function"), fields.found());
        calls.push_back({std::string(call.string("id").value_or(std::string_view{})),
                         std::string(inner.required_string("name")), std::string(inner.required_string("arguments"))});
    }
    return calls;
}

engine::message read_message(const field_reader& fields) {
    engine::message message;
    const auto role_name = fields.required_string("role");
    const auto role = role_of(role_name);
    if (!role) {
        fields.complain(errc::invalid_value, "role",
                        fmt::format("'{}' must be one of 'system', 'developer', 'user', 'assistant' and 'tool'.",
                                    fields.path_of("role")));
        return message;
    }
    message.role = *role;
    message.name = fields.string("name").value_or(std::string_view{});
    if (*role == engine::role::assistant) {
        message.tool_calls = read_tool_calls(fields);
        message.reasoning = fields.string("reasoning_content").value_or(std::string_view{});
    }
    if (*role == engine::role::tool) {
        message.tool_call_id = fields.required_string("tool_call_id");
    }
    const bool says_something_else = !message.tool_calls.empty() || fields.has("refusal");
    message.content = read_content(fields, says_something_else);
    if (message.content.empty() && fields.has("refusal")) {
        message.content = fields.string("refusal").value_or(std::string_view{});
    }
    return message;
}

}  // namespace

std::vector<engine::message> read_messages(const field_reader& fields) {
    std::vector<engine::message> messages;
    if (!fields.has("messages")) {
        fields.complain(errc::missing_value, "messages", "'messages' is missing; it must be an array of messages.");
        return messages;
    }
    const auto* array = fields.array("messages");
    if (array == nullptr) {
        return messages;
    }
    if (array->empty()) {
        fields.complain(errc::invalid_value, "messages", "'messages' must hold at least one message.");
    }
    messages.reserve(array->size());
    for (std::size_t i = 0; i < array->size() && !fields.found().any(); ++i) {
        const auto path = fmt::format("messages[{}]", i);
        if (!(*array)[i].is_object()) {
            fields.found().add(errc::invalid_value, path,
                               fmt::format("'{}' must be an object, but it is {}.", path, kind_of((*array)[i])));
            break;
        }
        messages.push_back(read_message(field_reader((*array)[i].get_object(), path, fields.found())));
    }
    return messages;
}

}  // namespace starling::openai
