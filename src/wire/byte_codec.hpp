// Numbers and byte strings in a fixed binary form: big-endian, lengths first. For what is signed, where there must be
// one way only to write a thing, and for what has to be small. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::wire {

using bytes = std::vector<std::uint8_t>;

class byte_writer {
  public:
    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value) { number(value, 2); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void raw(std::span<const std::uint8_t> value) { out_.insert(out_.end(), value.begin(), value.end()); }

    /// At most 65,535 bytes, with their length.
    void blob(std::span<const std::uint8_t> value) {
        u16(static_cast<std::uint16_t>(value.size()));
        raw(value);
    }
    void text(std::string_view value) { blob({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()}); }

    const bytes& written() const { return out_; }
    bytes take() { return std::move(out_); }

  private:
    void number(std::uint64_t value, int size) {
        for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
            out_.push_back(static_cast<std::uint8_t>(value >> shift));
        }
    }

    bytes out_;
};

/// Reads what byte_writer wrote. Past the end everything is zero or empty, and ok() is false: callers check once.
class byte_reader {
  public:
    explicit byte_reader(std::span<const std::uint8_t> from) : left_(from) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }

    void raw(std::span<std::uint8_t> into) {
        const auto from = take(into.size());
        if (!from.empty()) {
            std::memcpy(into.data(), from.data(), into.size());
        }
    }

    /// Nothing, and not ok, when there are more than `at_most`. The bytes stay where they were.
    std::span<const std::uint8_t> blob(std::size_t at_most) {
        const std::size_t size = u16();
        if (size > at_most) {
            ok_ = false;
            return {};
        }
        return take(size);
    }
    std::string text(std::size_t at_most) {
        const auto from = blob(at_most);
        return {from.begin(), from.end()};
    }

    bool ok() const { return ok_; }

    /// Read to the end, and nothing was missing.
    bool complete() const { return ok_ && left_.empty(); }

    std::span<const std::uint8_t> left() const { return left_; }

  private:
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(size)) {
            value = value << 8U | byte;
        }
        return value;
    }

    std::span<const std::uint8_t> take(std::size_t size) {
        if (size > left_.size()) {
            ok_ = false;
            left_ = {};
            return {};
        }
        const auto out = left_.first(size);
        left_ = left_.subspan(size);
        return out;
    }

    std::span<const std::uint8_t> left_;
    bool ok_ = true;
};

}  // namespace starling::wire
