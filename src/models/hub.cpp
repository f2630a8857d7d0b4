#include "models/hub.hpp"

#include <algorithm>
#include <charconv>

namespace starling::models {

namespace {

std::string percent_encoded(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view plain = "-._~/";
    std::string out;
    for (const char c : path) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                      : std::nullopt;
}

std::string unquoted(std::string_view etag) {
    if (etag.starts_with("W/")) {
        etag.remove_prefix(2);
    }
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
    }
    return std::string(etag);
}

bool is_sha256(std::string_view text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(),
                                            [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// scheme://host:port
std::string_view origin(std::string_view url) {
    const std::size_t scheme = url.find("://");
    return scheme == std::string_view::npos ? std::string_view()
                                            : url.substr(0, std::min(url.find('/', scheme + 3), url.size()));
}

}  // namespace

std::string file_url(std::string_view hub_url, const reference& which) {
    while (hub_url.ends_with('/')) {
        hub_url.remove_suffix(1);
    }
    return std::string(hub_url) + "/" + which.owner + "/" + which.repository + "/resolve/main/" +
           percent_encoded(which.path);
}

bool may_carry_token(std::string_view url) {
    const std::string_view at = origin(url);
    return at.starts_with("https://") || at == "http://127.0.0.1" || at.starts_with("http://127.0.0.1:") ||
           at == "http://localhost" || at.starts_with("http://localhost:") || at == "http://[::1]" ||
           at.starts_with("http://[::1]:");
}

std::string redirect_within(std::string_view hub_url, const fetch::response_head& head) {
    const std::string_view to = head.header("location");
    const bool leads_to_storage = !head.header("x-linked-size").empty() || !head.header("x-linked-etag").empty();
    if (leads_to_storage || head.status < 300 || head.status >= 400 || to.empty()) {
        return "";
    }
    if (to.starts_with('/') && !to.starts_with("//")) {
        return std::string(origin(hub_url)) + std::string(to);
    }
    return origin(to) == origin(hub_url) ? std::string(to) : std::string();
}

result<published_file> read_published(const fetch::response_head& head, const reference& which) {
    const bool linked = !head.header("x-linked-size").empty();
    const std::string_view size_header = linked ? head.header("x-linked-size") : head.header("content-length");
    // The length of a redirect is that of its own body.
    const auto size = linked || head.status == 200 ? parse_number(size_header) : std::nullopt;
    if (!size || *size == 0) {
        return fail(errc::hub_failed, "the hub does not say how large " + which.text() + " is; try again later");
    }
    published_file out;
    out.size_bytes = *size;
    const std::string_view linked_etag = head.header("x-linked-etag");
    out.etag = unquoted(linked_etag.empty() ? head.header("etag") : linked_etag);
    if (is_sha256(out.etag)) {
        out.sha256 = out.etag;
    }
    return out;
}

error explain_status(int status, const reference& which, bool with_token) {
    const std::string repository = which.owner + "/" + which.repository;
    if (status == 401 || status == 403) {
        return fail(errc::needs_token, with_token ? "the hub refused the Hugging Face token for " + which.text() +
                                                        "; ask for access to " + repository +
                                                        " on its page, or use a token that may read it"
                                                  : "the hub wants a Hugging Face token for " + which.text() +
                                                        ", or the repository does not exist; check the name, or put a "
                                                        "token that may read it into the variable HF_TOKEN");
    }
    if (status == 404) {
        return fail(errc::not_found, "the hub has no " + which.text() + "; check owner, repository and file name");
    }
    if (status == 429) {
        return fail(errc::hub_failed,
                    "the hub says that there were too many requests; wait some minutes and try again");
    }
    return fail(errc::hub_failed,
                "the hub answered " + std::to_string(status) + " for " + which.text() + "; try again later");
}

bool is_temporary(int status) {
    return status == 408 || status == 429 || status >= 500;
}

std::optional<content_range> parse_content_range(std::string_view text) {
    constexpr std::string_view unit = "bytes ";
    const std::size_t dash = text.find('-');
    const std::size_t slash = text.find('/');
    if (!text.starts_with(unit) || dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
        return std::nullopt;
    }
    const auto first = parse_number(text.substr(unit.size(), dash - unit.size()));
    if (!first) {
        return std::nullopt;
    }
    return content_range{*first, parse_number(text.substr(slash + 1))};
}

}  // namespace starling::models
