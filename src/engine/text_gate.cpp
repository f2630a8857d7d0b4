#include "engine/text_gate.hpp"

#include <algorithm>
#include <utility>

namespace starling::engine {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Length of the character that starts with this byte; 0 when none does (RFC 3629).
std::size_t character_length(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        return 4;
    }
    return 0;
}

/// Whether `second` may follow `lead`: rules out overlong forms, surrogates and code points above U+10FFFF.
bool second_byte_fits(unsigned char lead, unsigned char second) {
    switch (lead) {
        case 0xE0: return second >= 0xA0 && second <= 0xBF;
        case 0xED: return second >= 0x80 && second <= 0x9F;
        case 0xF0: return second >= 0x90 && second <= 0xBF;
        case 0xF4: return second >= 0x80 && second <= 0x8F;
        default: return second >= 0x80 && second <= 0xBF;
    }
}

/// How many bytes at the start of `bytes` belong to the character that begins there, up to `length`.
std::size_t valid_bytes(std::string_view bytes, std::size_t length) {
    std::size_t n = 1;
    while (n < length && n < bytes.size()) {
        const auto byte = static_cast<unsigned char>(bytes[n]);
        const bool fits =
            n == 1 ? second_byte_fits(static_cast<unsigned char>(bytes[0]), byte) : (byte & 0xC0U) == 0x80;
        if (!fits) {
            break;
        }
        ++n;
    }
    return n;
}

}  // namespace

std::size_t whole_characters(std::string_view bytes) {
    // Only the last three bytes can begin a character that is not complete.
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const std::size_t at = bytes.size() - back;
        const std::size_t length = character_length(static_cast<unsigned char>(bytes[at]));
        if (length == 0) {
            continue;
        }
        const bool unfinished = length > back && valid_bytes(bytes.substr(at), length) == back;
        return unfinished ? at : bytes.size();
    }
    return bytes.size();
}

std::string as_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const std::size_t length = character_length(static_cast<unsigned char>(bytes[0]));
        const std::size_t valid = length == 0 ? 1 : valid_bytes(bytes, length);
        if (length != 0 && valid == length) {
            text += bytes.substr(0, length);
        } else {
            text += replacement;
        }
        bytes.remove_prefix(valid);
    }
    return text;
}

text_gate::text_gate(std::vector<std::string> stop) : stop_(std::move(stop)) {
    std::erase_if(stop_, [](const std::string& s) { return s.empty(); });
}

std::size_t text_gate::held_for_stop() const {
    std::size_t held = 0;
    for (const std::string& stop : stop_) {
        for (std::size_t n = std::min(stop.size() - 1, pending_.size()); n > held; --n) {
            if (std::string_view(pending_).ends_with(std::string_view(stop).substr(0, n))) {
                held = n;
                break;
            }
        }
    }
    return held;
}

std::string text_gate::push(std::string_view bytes) {
    if (stopped_) {
        return {};
    }
    pending_ += bytes;

    std::size_t first_stop = std::string::npos;
    for (const std::string& stop : stop_) {
        first_stop = std::min(first_stop, pending_.find(stop));
    }
    if (first_stop != std::string::npos) {
        stopped_ = true;
        pending_.resize(first_stop);
        return as_utf8(std::exchange(pending_, {}));
    }

    const std::size_t free = pending_.size() - held_for_stop();
    const std::size_t release = whole_characters(std::string_view(pending_).substr(0, free));
    std::string text = as_utf8(std::string_view(pending_).substr(0, release));
    pending_.erase(0, release);
    return text;
}

std::string text_gate::flush() {
    return as_utf8(std::exchange(pending_, {}));
}

}  // namespace starling::engine
