#include "settings/stray_character.hpp"

namespace starling::settings {

namespace {

/// Length of the byte order mark, which may open a document.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A key or a value begins after one of these.
constexpr std::string_view may_precede_text = "\n\r=[,.{";

bool is_plain(unsigned char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\n' || c == '\r';
}

/// Where the text that opens at `at` is over; npos when it is not closed.
std::size_t skip_text(std::string_view document, std::size_t at) {
    const char quote = document[at];
    const bool escapes = quote == '"';
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool many_lines = document.substr(at).starts_with(three);
    at += many_lines ? 3 : 1;
    while (at < document.size()) {
        if (escapes && document[at] == '\\') {
            at += 2;
        } else if (many_lines && document.substr(at).starts_with(three)) {
            at += 3;
            // Up to two more quotes belong to the text.
            for (int more = 0; more < 2 && at < document.size() && document[at] == quote; ++more) {
                ++at;
            }
            return at;
        } else if (!many_lines && document[at] == quote) {
            return at + 1;
        } else if (!many_lines && document[at] == '\n') {
            return std::string_view::npos;
        } else {
            ++at;
        }
    }
    return std::string_view::npos;
}

stray stray_at(std::string_view document, std::size_t at, const char* reason) {
    stray out;
    out.reason = reason;
    for (std::size_t i = 0; i < at; ++i) {
        if (document[i] == '\n') {
            ++out.line;
            out.column = 1;
        } else {
            ++out.column;
        }
    }
    return out;
}

}  // namespace

std::optional<stray> find_stray_character(std::string_view document) {
    std::size_t at = document.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
    char before = '\n';  // the last character that is no space
    while (at < document.size()) {
        const char c = document[at];
        if (c == '"' || c == '\'') {
            if (may_precede_text.find(before) == std::string_view::npos) {
                return stray_at(document, at, "no text can begin here");
            }
            const std::size_t end = skip_text(document, at);
            if (end == std::string_view::npos) {
                return stray_at(document, at, "the text that begins here has no end");
            }
            at = end;
            before = c;
        } else if (c == '#') {
            at = document.find('\n', at);
            if (at == std::string_view::npos) {
                return std::nullopt;
            }
        } else if (!is_plain(static_cast<unsigned char>(c))) {
            return stray_at(document, at,
                            "only texts in quotes and comments may have other than plain ASCII characters");
        } else {
            before = c == ' ' || c == '\t' ? before : c;
            ++at;
        }
    }
    return std::nullopt;
}

}  // namespace starling::settings
