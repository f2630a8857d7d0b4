#include "api/console_files.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <stdexcept>

namespace starling::api {

namespace json = boost::json;

namespace {

constexpr std::string_view page = "/index.html";
constexpr std::string_view hashed_names = "/assets/";  // a changed file has another name

/// Content Security Policy 3; Trusted Types closes every way from text to script.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string_view piece(std::string_view bytes, const json::value& range) {
    const auto offset = json::value_to<std::size_t>(range.as_array().at(0));
    const auto size = json::value_to<std::size_t>(range.as_array().at(1));
    if (offset > bytes.size() || size > bytes.size() - offset) {
        throw std::runtime_error("a file of the console lies outside its pack");
    }
    return bytes.substr(offset, size);
}

/// "gzip" as one of the codings that the browser names (RFC 9110, 12.5.3); one with q=0 is not wanted.
bool takes_gzip(std::string_view accepted) {
    while (!accepted.empty()) {
        const auto comma = std::min(accepted.find(','), accepted.size());
        std::string_view coding = accepted.substr(0, comma);
        accepted.remove_prefix(std::min(comma + 1, accepted.size()));
        coding.remove_prefix(std::min(coding.find_first_not_of(' '), coding.size()));
        if (coding.starts_with("gzip")) {
            return coding.find("q=0") == std::string_view::npos || coding.find("q=0.") != std::string_view::npos;
        }
    }
    return false;
}

}  // namespace

http::header_list page_policy() {
    return {{"content-security-policy", std::string(content_policy)},
            {"x-content-type-options", "nosniff"},
            {"referrer-policy", "no-referrer"},
            {"cross-origin-opener-policy", "same-origin"},
            {"permissions-policy", "camera=(), microphone=(), geolocation=()"}};
}

console_files::console_files(std::span<const std::byte> pack) {
    if (pack.empty()) {
        return;
    }
    const std::string_view all(reinterpret_cast<const char*>(pack.data()), pack.size());
    const auto line = all.find('\n');
    if (line == std::string_view::npos) {
        throw std::runtime_error("the console's pack has no table of files");
    }
    const std::string_view bytes = all.substr(line + 1);
    const json::value table = json::parse(json::string_view(all.data(), line));
    for (const json::value& entry : table.at("files").as_array()) {
        const json::object& of = entry.as_object();
        file one{.type = json::value_to<std::string>(of.at("type")),
                 .etag = json::value_to<std::string>(of.at("etag")),
                 .plain = piece(bytes, of.at("plain")),
                 .gzip = {}};
        if (const json::value* smaller = of.if_contains("gzip")) {
            one.gzip = piece(bytes, *smaller);
        }
        files_.emplace(json::value_to<std::string>(of.at("path")), std::move(one));
    }
}

const console_files::file* console_files::find(std::string_view path) const {
    const auto found = files_.find(path == "/" ? page : path);
    return found == files_.end() ? nullptr : &found->second;
}

http::response console_files::answer(std::string_view path, const http::header_list& request) const {
    const file& wanted = *find(path);
    http::response out{200, page_policy(), ""};
    out.headers.emplace_back("content-type", wanted.type);
    out.headers.emplace_back("etag", wanted.etag);
    out.headers.emplace_back("vary", "accept-encoding");
    out.headers.emplace_back("cache-control",
                             path.starts_with(hashed_names) ? "public, max-age=31536000, immutable" : "no-cache");
    if (http::find_header(request, "if-none-match") == wanted.etag) {
        out.status = 304;
    } else if (!wanted.gzip.empty() && takes_gzip(http::find_header(request, "accept-encoding"))) {
        out.headers.emplace_back("content-encoding", "gzip");
        out.body = wanted.gzip;
    } else {
        out.body = wanted.plain;
    }
    return out;
}

}  // namespace starling::api
