#include "gguf/header_reader.hpp"

#include <algorithm>

namespace starling::gguf {

namespace {

// Memory grows with what was really read, never with what a length claims.
constexpr std::uint64_t read_step_bytes = 1U << 20;
constexpr std::size_t shown_limit = 80;

}  // namespace

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, shown_limit)) {
        out += c >= 0x20 && c < 0x7F ? c : '?';
    }
    return text.size() > shown_limit ? out + "..." : out;
}

result<void> header_reader::fill(std::span<std::byte> into) {
    if (into.size() > left()) {
        return fail(errc::truncated,
                    "the file ends in the middle of its header, at byte " + std::to_string(file_size_));
    }
    if (position_ + into.size() > max_header_bytes) {
        return fail(errc::corrupt, "the header is larger than " + std::to_string(max_header_bytes >> 20) + " MiB");
    }
    const std::size_t got = from_.read(into);
    position_ += got;
    if (got < into.size()) {
        return fail(errc::incomplete, "the header goes on after byte " + std::to_string(position_));
    }
    return {};
}

result<void> header_reader::append(std::string& out, std::uint64_t count, std::string_view what) {
    if (count > left()) {
        return fail(errc::truncated, std::string(what) + " claims " + std::to_string(count) +
                                         " bytes, but the file has only " + std::to_string(left()) + " left");
    }
    while (count > 0) {
        const auto step = static_cast<std::size_t>(std::min(count, read_step_bytes));
        const std::size_t old = out.size();
        out.resize(old + step);
        if (auto done = fill(std::as_writable_bytes(std::span(out).subspan(old))); !done) {
            return done;
        }
        count -= step;
    }
    return {};
}

result<void> header_reader::append_string(std::string& out, std::uint64_t limit_bytes, std::string_view what) {
    const auto length = number<std::uint64_t>();
    if (!length) {
        return length.error();
    }
    if (*length > limit_bytes) {
        return fail(errc::corrupt, std::string(what) + " claims " + std::to_string(*length) + " bytes; at most " +
                                       std::to_string(limit_bytes) + " make sense");
    }
    return append(out, *length, what);
}

result<std::string> header_reader::string(std::uint64_t limit_bytes, std::string_view what) {
    std::string out;
    if (auto done = append_string(out, limit_bytes, what); !done) {
        return done.error();
    }
    return out;
}

result<std::string> header_reader::bytes(std::uint64_t count, std::string_view what) {
    std::string out;
    if (auto done = append(out, count, what); !done) {
        return done.error();
    }
    return out;
}

}  // namespace starling::gguf
