#include "wire/base64url.hpp"

#include <nettle/base64.h>

namespace starling::wire {

std::string to_base64url(std::span<const std::uint8_t> from) {
    std::string out(BASE64_ENCODE_RAW_LENGTH(from.size()), '\0');
    base64_encode_ctx context;
    base64url_encode_init(&context);
    std::size_t size = base64_encode_update(&context, out.data(), from.size(), from.data());
    size += base64_encode_final(&context, out.data() + size);
    out.resize(size);
    while (out.ends_with('=')) {
        out.pop_back();
    }
    return out;
}

std::optional<bytes> from_base64url(std::string_view text) {
    std::string padded(text);
    padded.append((4 - text.size() % 4) % 4, '=');
    bytes out(BASE64_DECODE_LENGTH(padded.size()));
    std::size_t size = 0;
    base64_decode_ctx context;
    base64url_decode_init(&context);
    if (base64_decode_update(&context, &size, out.data(), padded.size(), padded.data()) != 1 ||
        base64_decode_final(&context) != 1) {
        return std::nullopt;
    }
    out.resize(size);
    // White space, padding and spare bits are no second way of writing the same bytes.
    return to_base64url(out) == text ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace starling::wire
