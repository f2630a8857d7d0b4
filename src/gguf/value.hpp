// Metadata values with the types that they have in the file, so that a header can be written back unchanged.
#pragma once

#include "gguf/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace starling::gguf {

/// An array of scalars or strings, kept as it lies in the file: it takes no more memory than it takes there.
class array {
  public:
    /// `bytes` holds `count` little-endian values of `type`.
    static array of_scalars(value_type type, std::string bytes);
    /// String i is bytes[ends[i - 1], ends[i]).
    static array of_strings(std::string bytes, std::vector<std::uint32_t> ends);

    value_type type() const { return type_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // Precondition of each: i < size(). Nothing when the elements are of another kind.
    std::optional<std::string_view> text_at(std::size_t i) const;
    std::optional<std::int64_t> integer_at(std::size_t i) const;  // also nothing for a u64 above the range of i64
    std::optional<double> number_at(std::size_t i) const;         // integers and floats

    /// The bytes of a scalar array, as in the file; of an array of strings, their text without lengths.
    std::string_view raw() const { return bytes_; }

    /// Elements [first, end) of a scalar array. Precondition: first <= end <= size(), and no strings.
    array part(std::size_t first, std::size_t end) const;
    /// These elements and then those. Precondition: both of one type, and no strings.
    array followed_by(const array& more) const { return of_scalars(type_, bytes_ + more.bytes_); }

  private:
    array(value_type type, std::size_t size, std::string bytes, std::vector<std::uint32_t> ends)
        : type_(type), size_(size), bytes_(std::move(bytes)), ends_(std::move(ends)) {}

    value_type type_;
    std::size_t size_;
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
};

struct value {
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float, bool,
                 std::string, array, std::uint64_t, std::int64_t, double>
        held;

    value_type type() const { return static_cast<value_type>(held.index()); }
    std::optional<std::int64_t> integer() const;  // any integer type that fits
    std::optional<double> number() const;         // any integer or float type
    std::optional<std::string_view> text() const;
};

}  // namespace starling::gguf
