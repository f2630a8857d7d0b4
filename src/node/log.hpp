// Log lines, for people or for programs. The program makes the logger and hands it to the node, which never prints.
#pragma once

#include "settings/config.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace starling::node {

/// Pretty: "12:34:56 info  message". JSON: one object on each line, {"time","level","message"}.
std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, settings::log_format format,
                                            settings::log_level level);

/// "2026-01-02T03:04:05.678Z": RFC 3339, in UTC, with milliseconds.
std::string rfc3339(std::chrono::system_clock::time_point when);

/// A JSON string with its quotes; bytes that are no UTF-8 become the replacement character.
std::string json_quoted(std::string_view text);

}  // namespace starling::node
