#include "node/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <utility>

namespace starling::node {

namespace {

spdlog::level::level_enum to_spdlog(settings::log_level level) {
    switch (level) {
        case settings::log_level::debug: return spdlog::level::debug;
        case settings::log_level::info: return spdlog::level::info;
        case settings::log_level::warn: return spdlog::level::warn;
        case settings::log_level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

class json_formatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
        const auto level = spdlog::level::to_string_view(message.level);
        std::string line = R"({"time":")" + rfc3339(message.time) + R"(","level":")";
        line.append(level.data(), level.size());
        line += R"(","message":)";
        line += json_quoted(std::string_view(message.payload.data(), message.payload.size()));
        line += "}\n";
        into.append(line.data(), line.data() + line.size());
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }
};

/// Length of the UTF-8 character at the front; 0 when there is none (RFC 3629).
std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80                    ? 1
                               : lead >= 0xC2 && lead <= 0xDF ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0U;
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
    return overlong || outside ? 0 : length;
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point when) {
    using std::chrono::milliseconds;
    const auto since = std::chrono::duration_cast<milliseconds>(when.time_since_epoch());
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = std::to_string(1000 + since.count() % 1000).substr(1);
    return std::string(text.data(), length) + "." + fraction + "Z";
}

std::string json_quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t length = character_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c < 0x20) {
            out += "\\u00";
            out += digits[c >> 4U];
            out += digits[c & 0x0FU];
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out + "\"";
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, settings::log_format format,
                                            settings::log_level level) {
    auto logger = std::make_shared<spdlog::logger>("starling", std::move(sink));
    if (format == settings::log_format::json) {
        logger->set_formatter(std::make_unique<json_formatter>());
    } else {
        logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%H:%M:%S %^%-5l%$ %v"));
    }
    logger->set_level(to_spdlog(level));
    logger->flush_on(spdlog::level::trace);  // a log that lags behind a crash explains nothing
    return logger;
}

}  // namespace starling::node
