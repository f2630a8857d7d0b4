// The configuration file. The only file that sees the TOML library.
#include "settings/config.hpp"
#include "settings/nearest.hpp"
#include "settings/stray_character.hpp"
#include "settings/table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <string>

namespace starling::settings {

namespace {

std::string place(std::string_view file_name, std::size_t line, std::size_t column) {
    return std::string(file_name) + ", line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
}

std::string place(std::string_view file_name, const toml::source_region& at) {
    return place(file_name, at.begin.line, at.begin.column);
}

std::optional<setting_value> list_value(const toml::array& array) {
    std::vector<std::string> out;
    for (const toml::node& item : array) {
        const auto text = item.value_exact<std::string>();
        if (!text) {
            return std::nullopt;
        }
        out.push_back(*text);
    }
    return out;
}

std::optional<setting_value> convert(setting_kind kind, const toml::node& value) {
    switch (kind) {
        case setting_kind::toggle:
            if (const auto toggle = value.value_exact<bool>()) {
                return *toggle;
            }
            return std::nullopt;
        case setting_kind::number:
            if (const auto number = value.value_exact<std::int64_t>()) {
                return *number;
            }
            return std::nullopt;
        case setting_kind::text:
            if (const auto text = value.value_exact<std::string>()) {
                return *text;
            }
            return std::nullopt;
        case setting_kind::list:
            if (const toml::array* array = value.as_array()) {
                return list_value(*array);
            }
            // One entry needs no brackets.
            if (const auto text = value.value_exact<std::string>()) {
                return std::vector<std::string>{*text};
            }
            return std::nullopt;
    }
    return std::nullopt;
}

const char* kind_name(setting_kind kind) {
    switch (kind) {
        case setting_kind::text: return "a text in quotes";
        case setting_kind::list: return "a list of texts, such as [\"starter\"]";
        case setting_kind::number: return "a whole number";
        case setting_kind::toggle: return "true or false";
    }
    return "";
}

error unknown_key(std::string_view key, const std::string& at) {
    std::vector<std::string_view> known;
    for (const setting& row : all_settings()) {
        known.push_back(row.key);
    }
    std::string message = at + "unknown key '" + std::string(key) + "'";
    const std::string_view close = nearest(key, known);
    if (!close.empty()) {
        message += "; did you mean '" + std::string(close) + "'?";
    } else {
        message += "; the known keys are in docs/config.md.";
    }
    return fail(errc::bad_config, std::move(message));
}

result<void> apply_key(config& into, std::string_view key, const toml::node& value, const std::string& at) {
    const auto rows = all_settings();
    const auto row = std::find_if(rows.begin(), rows.end(), [key](const setting& s) { return s.key == key; });
    if (row == rows.end()) {
        return unknown_key(key, at);
    }
    const auto converted = convert(row->kind, value);
    if (!converted) {
        return fail(errc::bad_config, at + "'" + std::string(key) + "' must be " + kind_name(row->kind) + ".");
    }
    if (auto applied = row->apply(into, *converted); !applied) {
        return fail(errc::bad_config, at + "'" + std::string(key) + "' " + applied.error().message + ".");
    }
    return {};
}

}  // namespace

result<void> apply_toml(config& into, std::string_view text, std::string_view file_name) {
    if (const auto stray = find_stray_character(text)) {
        return fail(errc::bad_config, place(file_name, stray->line, stray->column) + stray->reason + ".");
    }
    try {
        const toml::table document = toml::parse(text);
        for (const auto& [key, value] : document) {
            const toml::source_region& at = key.source().begin.line != 0 ? key.source() : value.source();
            if (auto applied = apply_key(into, key.str(), value, place(file_name, at)); !applied) {
                return applied;
            }
        }
        return {};
    } catch (const toml::parse_error& wrong) {
        return fail(errc::bad_config, place(file_name, wrong.source()) + std::string(wrong.description()) + ".");
    }
}

}  // namespace starling::settings
