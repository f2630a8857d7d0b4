// The messages of the handshake, as JSON. Pure, fuzzed.
#pragma once

#include "admission/admission.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace starling::peers {

struct hello {
    int version = 0;
    int oldest = 0;
    std::string software;
    node_id mesh;
    admission::certificate certificate;
};

struct join {
    node_id mesh;
    admission::invite::secret_bytes secret{};
};

struct welcome {
    admission::certificate certificate;
};

/// Why not. The code is one of admission::errc, or wire::errc::unsupported.
struct refused {
    error why;
};

using greeting = std::variant<hello, join, welcome, refused>;

std::string to_json(const greeting& from);

/// Error: wire::errc::malformed, unsupported.
result<greeting> parse_greeting(std::string_view text);

}  // namespace starling::peers
