// Why settings cannot be used. The program ends with exit code 2 for all of these.
#pragma once

#include "base/result.hpp"

namespace starling::settings {

enum class errc {
    wrong_usage = 1,  // a flag or an environment variable with a value that it cannot have
    bad_config,       // the configuration file; the message has line and column
    refused,          // asked for something unsafe, such as an open port without an API key
};

constexpr const char* category_name(errc) {
    return "settings";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::wrong_usage: return "wrong usage";
        case errc::bad_config: return "bad configuration";
        case errc::refused: return "refused";
    }
    return "unknown error";
}

}  // namespace starling::settings

template <>
struct std::is_error_code_enum<starling::settings::errc> : std::true_type {};
