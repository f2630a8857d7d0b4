// The node's last log lines, for people who look at them in the console. Implemented by node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace starling::api {

struct log_line {
    std::uint64_t seq = 0;  // grows by one with each line
    std::string time;       // RFC 3339, in UTC, with milliseconds
    std::string level;      // trace, debug, info, warning, error, critical
    std::string message;
};

class log_view {
  public:
    log_view() = default;
    log_view(const log_view&) = delete;
    log_view& operator=(const log_view&) = delete;
    virtual ~log_view() = default;

    /// Lines from number `first` on, those that are still kept; the oldest first. Any thread.
    virtual std::vector<log_line> lines_from(std::uint64_t first) = 0;
};

}  // namespace starling::api
