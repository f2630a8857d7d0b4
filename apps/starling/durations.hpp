// Spans of time as people write and read them.
#pragma once

#include "base/result.hpp"
#include "settings/errc.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace starling::cli {

/// "90s", "30m", "24h", "7d". Error: settings::errc::wrong_usage when it is none, or not between the two. The message
/// begins with `flag`.
result<std::chrono::seconds> parse_duration(std::string_view text, std::string_view flag, std::chrono::seconds least,
                                            std::chrono::seconds most);

/// Exactly, in the largest unit that fits: "7 days", "90 minutes"; but "24 hours".
std::string in_words(std::chrono::seconds span);

/// Roughly: "90 s", "12 min", "3 h 05 min". Takes any number, because another program says it.
std::string roughly(std::chrono::duration<double> span);

}  // namespace starling::cli
