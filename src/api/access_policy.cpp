#include "api/access_policy.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstddef>

namespace starling::api {

namespace {

constexpr std::string_view bearer = "bearer ";
constexpr std::size_t max_echoed_headers = 1024;  // of a preflight's list

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_text(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// Every byte of the longer one is looked at.
bool same_key(std::string_view known, std::string_view offered) {
    unsigned difference = known.size() == offered.size() ? 0U : 1U;
    const std::size_t length = std::max(known.size(), offered.size());
    for (std::size_t i = 0; i < length; ++i) {
        const unsigned a = i < known.size() ? static_cast<unsigned char>(known[i]) : 0U;
        const unsigned b = i < offered.size() ? static_cast<unsigned char>(offered[i]) : 0U;
        difference |= a ^ b;
    }
    return difference == 0;
}

/// "localhost" of "localhost:9337", "::1" of "[::1]:9337".
std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const auto end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.rfind(':'));
}

bool is_header_list(std::string_view text) {
    return !text.empty() && text.size() <= max_echoed_headers && std::all_of(text.begin(), text.end(), [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ',' ||
               c == ' ';
    });
}

}  // namespace

bool is_known_key(const std::vector<std::string>& keys, std::string_view offered) {
    bool known = false;
    for (const auto& key : keys) {
        known |= same_key(key, offered);
    }
    return known && !offered.empty();
}

std::string_view bearer_token(const http::header_list& headers) {
    const auto value = http::find_header(headers, "authorization");
    if (value.size() <= bearer.size() || !same_text(value.substr(0, bearer.size()), bearer)) {
        return {};
    }
    return value.substr(std::min(value.find_first_not_of(' ', bearer.size()), value.size()));
}

origin_verdict judge_origin(const std::vector<std::string>& allowed, const http::header_list& headers) {
    const auto origin = http::find_header(headers, "origin");
    if (origin.empty()) {
        return origin_verdict::none;
    }
    for (const auto& entry : allowed) {
        if (entry == "*" || same_text(entry, origin)) {
            return origin_verdict::allowed;
        }
    }
    const auto host = http::find_header(headers, "host");
    const auto scheme_end = origin.find("://");
    if (!host.empty() && scheme_end != std::string_view::npos && same_text(origin.substr(scheme_end + 3), host)) {
        return origin_verdict::same_site;
    }
    return origin_verdict::not_allowed;
}

bool opens_control(const control_keys& keys, std::string_view offered, origin_verdict origin) {
    const bool is_our_page = origin == origin_verdict::none || origin == origin_verdict::same_site;
    return is_known_key({keys.control_token}, offered) || is_known_key(keys.api_keys, offered) ||
           (is_our_page && is_known_key({keys.console_token}, offered));
}

bool is_local_host(std::string_view host) {
    const auto name = without_port(host);
    if (same_text(name, "localhost")) {
        return true;
    }
    boost::system::error_code failed;
    boost::asio::ip::make_address(std::string(name), failed);
    return !failed;
}

http::header_list cors_headers(std::string_view origin) {
    return {{"access-control-allow-origin", std::string(origin)},
            {"access-control-expose-headers", "x-request-id, x-starling-node, retry-after"},
            {"vary", "origin"}};
}

http::header_list preflight_headers(const http::header_list& request) {
    auto headers = cors_headers(http::find_header(request, "origin"));
    const auto wanted = http::find_header(request, "access-control-request-headers");
    headers.emplace_back("access-control-allow-methods", "GET, POST, OPTIONS");
    headers.emplace_back("access-control-allow-headers",
                         is_header_list(wanted) ? std::string(wanted) : "authorization, content-type");
    headers.emplace_back("access-control-max-age", "600");
    if (http::find_header(request, "access-control-request-private-network") == "true") {
        headers.emplace_back("access-control-allow-private-network", "true");
    }
    return headers;
}

}  // namespace starling::api
