// The messages of the handshake, as JSON. Pure, fuzzed.
#pragma once

#include "admission/admission.hpp"
#include "base/result.hpp"
#include "peers/comparison_code.hpp"

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

/// A newcomer without an invite wants to be let in (ask.hpp).
struct ask {
    std::string name;
    peers::commitment commitment{};
};

/// The member's number, and where the newcomer would belong.
struct ask_nonce {
    peers::nonce nonce{};
    node_id mesh;
    std::string name;
};

/// The number that the newcomer had committed to.
struct ask_reveal {
    peers::nonce nonce{};
};

/// Why not. The code is one of admission::errc, or wire::errc::unsupported.
struct refused {
    error why;
};

/// Names are at most max_name_bytes and as base/shown_name leaves them, on either side.
using greeting = std::variant<hello, join, welcome, ask, ask_nonce, ask_reveal, refused>;

std::string to_json(const greeting& from);

/// Error: wire::errc::malformed, unsupported.
result<greeting> parse_greeting(std::string_view text);

}  // namespace starling::peers
