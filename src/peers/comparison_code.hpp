// The code that two screens show, so that people see that no third machine stands between theirs.
//
// Six digits are few: whoever stands between could try keys or numbers until the codes of its two conversations agree,
// if it could choose anything after it knows the rest. So the newcomer commits to its number first, the member then
// says its own, and the newcomer reveals: whoever stands between has to choose without knowing, and is right once in a
// million times. This is the numeric comparison of Bluetooth's secure simple pairing (Core Specification 5.4, volume 2,
// part H, 7.2.1) and the hash commitment of ZRTP (RFC 6189, 4.4.1), over keys that TLS has proven already: the code
// covers both node ids as each side knows them. Pure.
#pragma once

#include "base/node_id.hpp"
#include "keys/digest.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace starling::peers {

using nonce = std::array<std::uint8_t, 32>;
using commitment = keys::digest;

/// Who talks to whom.
struct introduction_pair {
    node_id newcomer;
    node_id member;
};

/// What the newcomer says before it knows the member's nonce. It hides `a` and binds to it.
commitment commit_to(const nonce& a, const introduction_pair& who);

/// Six digits, as "482 913".
std::string comparison_code(const introduction_pair& who, const node_id& mesh, const nonce& of_newcomer,
                            const nonce& of_member);

/// The digits of what a person typed, whatever stands between them.
std::string digits_of(std::string_view typed);

}  // namespace starling::peers
