// Bytes as text that survives URLs, shells and chats: RFC 4648, section 5, without padding.
#pragma once

#include "wire/byte_codec.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace starling::wire {

std::string to_base64url(std::span<const std::uint8_t> from);

/// Nothing for text that is not exactly what to_base64url writes for some bytes.
std::optional<bytes> from_base64url(std::string_view text);

}  // namespace starling::wire
