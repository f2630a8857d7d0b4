// What a TOML document may hold outside of texts and comments: printable ASCII, tabs and line ends; and where a text
// may begin. Pure.
//
// The TOML library (3.3) relies on undefined behaviour for some other characters in keys and numbers, so they are found
// before it sees them. They are errors in TOML 1.0 anyway.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace starling::settings {

struct stray {
    std::size_t line = 1;    // from 1
    std::size_t column = 1;  // in bytes, from 1
    const char* reason = "";
};

/// The first mistake of this kind.
std::optional<stray> find_stray_character(std::string_view document);

}  // namespace starling::settings
