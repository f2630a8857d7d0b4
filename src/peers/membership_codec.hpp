// What membership says, as bytes: compact, so that its datagrams hold what it counts on (membership/messages.hpp has
// the sizes). Pure, fuzzed.
#pragma once

#include "base/result.hpp"
#include "membership/membership.hpp"
#include "wire/byte_codec.hpp"

#include <span>

namespace starling::peers {

wire::bytes encode(const membership::message& from);

/// Bounded by the limits of membership; records are not verified here. Errors: wire::errc::malformed, unsupported (a
/// kind of message that is not known here), too_large.
result<membership::message> decode_message(std::span<const std::uint8_t> from);

}  // namespace starling::peers
