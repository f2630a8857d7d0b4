// Numbers and strings from a byte source, each checked against what is left of the file before memory is taken.
#pragma once

#include "gguf/gguf.hpp"

namespace starling::gguf {

class header_reader {
  public:
    header_reader(byte_source& from, std::uint64_t file_size) : from_(from), file_size_(file_size) {}

    std::uint64_t position() const { return position_; }
    /// Bytes between here and the end of the file.
    std::uint64_t left() const { return file_size_ - position_; }

    /// A little-endian number of any arithmetic type.
    template <class T>
    result<T> number() {
        T read{};
        if (auto done = fill(std::as_writable_bytes(std::span(&read, 1))); !done) {
            return done.error();
        }
        return read;
    }

    /// A length and that many bytes. `what` names it in a message.
    result<std::string> string(std::uint64_t limit_bytes, std::string_view what);

    /// Appends one string to `out`, which is how arrays of strings stay small.
    result<void> append_string(std::string& out, std::uint64_t limit_bytes, std::string_view what);

    result<std::string> bytes(std::uint64_t count, std::string_view what);

  private:
    result<void> fill(std::span<std::byte> into);
    result<void> append(std::string& out, std::uint64_t count, std::string_view what);

    byte_source& from_;
    const std::uint64_t file_size_;
    std::uint64_t position_ = 0;
};

/// Text from a file as it may be shown: printable ASCII, at most 80 characters.
std::string shown(std::string_view text);

}  // namespace starling::gguf
