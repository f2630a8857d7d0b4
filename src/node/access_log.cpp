#include "node/access_log.hpp"

#include <spdlog/logger.h>

#include <utility>

namespace starling::node {

namespace {

constexpr int first_server_error = 500;
constexpr int first_client_error = 400;
constexpr int client_went_away = 499;

/// Programs ask these every few seconds; nobody wants to read of it.
bool is_routine(const api::access_entry& entry) {
    return entry.status < first_client_error &&
           (entry.path == "/health" || entry.path == "/metrics" || entry.path == "/api/status");
}

void write(spdlog::logger& log, const api::access_entry& entry) {
    const auto level = is_routine(entry)                    ? spdlog::level::debug
                       : entry.status >= first_server_error ? spdlog::level::warn
                                                            : spdlog::level::info;
    if (!log.should_log(level)) {
        return;
    }
    std::string about;
    if (!entry.model.empty()) {
        about = " " + entry.model;
    }
    if (entry.prompt_tokens + entry.completion_tokens > 0) {
        about += " " + std::to_string(entry.prompt_tokens) + "+" + std::to_string(entry.completion_tokens) + " tokens";
    }
    if (entry.status == client_went_away) {
        about += " (the client went away)";
    } else if (!entry.detail.empty()) {
        about += ": " + entry.detail;
    }
    log.log(level, "{} {} {} {:.0f} ms [{}]{}", entry.method, entry.path, entry.status, entry.duration_ms,
            entry.request_id, about);
}

}  // namespace

api::access_sink access_log(std::shared_ptr<spdlog::logger> log) {
    return [log = std::move(log)](const api::access_entry& entry) { write(*log, entry); };
}

}  // namespace starling::node
