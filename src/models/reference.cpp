#include "models/reference.hpp"

#include "models/errc.hpp"

#include <algorithm>

namespace starling::models {

namespace {

constexpr std::string_view hub_prefix = "hf://";
constexpr std::string_view suffix = ".gguf";
// Of one part of a hub name; the hub's own limit is 96.
constexpr std::size_t max_part_bytes = 128;
// What file systems allow for a whole path, less the folder of the store.
constexpr std::size_t max_text_bytes = 2048;

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string shown(std::string_view text) {
    std::string out(text.substr(0, 200));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    return out;
}

bool is_hub_name(std::string_view part) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    return !part.empty() && part.size() <= max_part_bytes && part.front() != '.' &&
           part.find("..") == std::string_view::npos && std::all_of(part.begin(), part.end(), allowed);
}

// A file inside a repository: becomes a path below the store, and part of a URL.
bool is_safe_file(std::string_view path) {
    while (true) {
        const std::size_t slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F &&
                   std::string_view("\\:*?\"<>|").find(c) == std::string_view::npos;
        });
        if (part.empty() || part.front() == '.' || part.size() > max_part_bytes || !plain) {
            return false;
        }
        if (slash == std::string_view::npos) {
            return true;
        }
        path.remove_prefix(slash + 1);
    }
}

result<reference> parse_hub(std::string_view text) {
    const std::string_view rest = text.substr(hub_prefix.size());
    const std::size_t first = rest.find('/');
    const std::size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
    if (second == std::string_view::npos) {
        return fail(errc::bad_reference,
                    "'" + shown(text) + "' does not name a file; write hf://owner/repository/file.gguf");
    }
    reference out{reference_kind::hub, std::string(rest.substr(second + 1)), std::string(rest.substr(0, first)),
                  std::string(rest.substr(first + 1, second - first - 1))};
    if (!is_hub_name(out.owner) || !is_hub_name(out.repository) || !is_safe_file(out.path)) {
        return fail(errc::bad_reference,
                    "'" + shown(text) + "' has a name that is not allowed; write hf://owner/repository/file.gguf");
    }
    if (!out.path.ends_with(suffix) || out.path.size() == suffix.size()) {
        return fail(errc::bad_reference, "'" + shown(text) + "' is not a .gguf file; other formats cannot be run");
    }
    return out;
}

}  // namespace

std::string reference::text() const {
    switch (kind) {
        case reference_kind::starter: return "starter";
        case reference_kind::hub: return std::string(hub_prefix) + owner + "/" + repository + "/" + path;
        case reference_kind::file:
        case reference_kind::id: return path;
    }
    return path;
}

std::string reference::id() const {
    if (kind == reference_kind::starter) {
        return "starter";
    }
    std::string_view name = path;
    if (kind != reference_kind::id) {
        name.remove_prefix(name.find_last_of('/') + 1);
        if (name.ends_with(suffix)) {
            name.remove_suffix(suffix.size());
        }
    }
    return std::string(name);
}

result<reference> parse_reference(std::string_view text) {
    if (text.empty() || text.size() > max_text_bytes || has_control_character(text)) {
        return fail(errc::bad_reference,
                    "'" + shown(text) +
                        "' is not a model reference; give starter, a .gguf file or hf://owner/repository/file.gguf");
    }
    if (text == "starter") {
        return reference{};
    }
    if (text.starts_with(hub_prefix)) {
        return parse_hub(text);
    }
    if (text.find("://") != std::string_view::npos) {
        return fail(
            errc::bad_reference,
            "'" + shown(text) + "' is not a place that models are fetched from; write hf://owner/repository/file.gguf");
    }
    if (text.ends_with(suffix) || text.find('/') != std::string_view::npos) {
        return reference{reference_kind::file, std::string(text), "", ""};
    }
    return reference{reference_kind::id, std::string(text), "", ""};
}

}  // namespace starling::models
