#include "upstream/endpoint.hpp"

#include "engine/errc.hpp"

#include <algorithm>
#include <cctype>

namespace starling::upstream {

namespace {

bool has_scheme(std::string_view url, std::string_view scheme) {
    return url.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), url.begin(), [](char wanted, char given) {
               return wanted == std::tolower(static_cast<unsigned char>(given));
           });
}

error refuse(std::string_view called, std::string_view url, std::string_view why) {
    // The URL itself is not repeated when it may hold a password.
    const bool secret = url.find('@') != std::string_view::npos || url.find('?') != std::string_view::npos;
    return fail(engine::errc::invalid_request, std::string(called) +
                                                   (secret ? std::string(" ") : " '" + std::string(url) + "' ") +
                                                   std::string(why) + "; write it like http://127.0.0.1:8080.");
}

}  // namespace

result<std::string> api_base(std::string_view url, std::string_view called) {
    std::size_t host = 0;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (has_scheme(url, scheme)) {
            host = scheme.size();
        }
    }
    if (host == 0) {
        return refuse(called, url, "does not start with http:// or https://");
    }
    if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7F; })) {
        return refuse(called, url, "contains a space or a character that URLs do not have");
    }
    if (url.find_first_of("?#@", host) != std::string_view::npos) {
        return refuse(called, url, "has a user name, a query or a fragment, which is not taken here");
    }
    while (url.ends_with('/')) {
        url.remove_suffix(1);
    }
    if (url.size() <= host || url[host] == '/' || url[host] == ':') {
        return refuse(called, url, "names no host");
    }
    const bool has_path = url.find('/', host) != std::string_view::npos;
    return std::string(url) + (has_path ? "" : "/v1");
}

}  // namespace starling::upstream
