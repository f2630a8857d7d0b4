#include "node/log_memory.hpp"

#include "node/log.hpp"

#include <algorithm>
#include <string_view>

namespace starling::node {

std::vector<api::log_line> log_memory::lines_from(std::uint64_t first) {
    const std::lock_guard lock(mutex_);
    const auto begin = std::lower_bound(lines_.begin(), lines_.end(), first,
                                        [](const api::log_line& line, std::uint64_t seq) { return line.seq < seq; });
    return {begin, lines_.end()};
}

void log_memory::sink_it_(const spdlog::details::log_msg& message) {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string_view text(message.payload.data(), std::min(message.payload.size(), max_line_bytes));
    lines_.push_back({.seq = next_seq_++,
                      .time = rfc3339(message.time),
                      .level = std::string(level.data(), level.size()),
                      .message = std::string(text)});
    if (lines_.size() > max_lines) {
        lines_.pop_front();
    }
}

}  // namespace starling::node
