// The table of settings: one row for each, with its name in every source.
#pragma once

#include "settings/config.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace starling::settings {

enum class setting_kind { toggle, number, text, list };

using setting_value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct setting {
    std::string_view key;          // in the configuration file
    std::string_view flag;         // on the command line, without dashes
    std::string_view environment;  // empty: none
    setting_kind kind;
    std::string_view argument;  // what --help calls the value
    std::string_view help;
    /// The value is of the row's kind. The error is the end of a sentence: "must be …".
    result<void> (*apply)(config& into, const setting_value& value);
};

std::span<const setting> all_settings();

}  // namespace starling::settings
