#include "gguf/value.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

namespace starling::gguf {

static_assert(std::endian::native == std::endian::little, "GGUF values are little-endian and are copied as they are");

namespace {

template <class T>
std::optional<std::int64_t> to_integer(T number) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return std::nullopt;
        }
    }
    return static_cast<std::int64_t>(number);
}

template <class T>
T load(const std::string& bytes, std::size_t i) {
    T number{};
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    return number;
}

}  // namespace

array array::of_scalars(value_type type, std::string bytes) {
    const std::size_t size = bytes.size() / fixed_size(type);
    return {type, size, std::move(bytes), {}};
}

array array::of_strings(std::string bytes, std::vector<std::uint32_t> ends) {
    const std::size_t size = ends.size();
    return {value_type::string, size, std::move(bytes), std::move(ends)};
}

array array::part(std::size_t first, std::size_t end) const {
    const std::size_t width = fixed_size(type_);
    return of_scalars(type_, bytes_.substr(first * width, (end - first) * width));
}

std::optional<std::string_view> array::text_at(std::size_t i) const {
    if (type_ != value_type::string) {
        return std::nullopt;
    }
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

std::optional<std::int64_t> array::integer_at(std::size_t i) const {
    switch (type_) {
        case value_type::uint8: return load<std::uint8_t>(bytes_, i);
        case value_type::int8: return load<std::int8_t>(bytes_, i);
        case value_type::boolean: return load<std::uint8_t>(bytes_, i);
        case value_type::uint16: return load<std::uint16_t>(bytes_, i);
        case value_type::int16: return load<std::int16_t>(bytes_, i);
        case value_type::uint32: return load<std::uint32_t>(bytes_, i);
        case value_type::int32: return load<std::int32_t>(bytes_, i);
        case value_type::uint64: return to_integer(load<std::uint64_t>(bytes_, i));
        case value_type::int64: return load<std::int64_t>(bytes_, i);
        default: return std::nullopt;
    }
}

std::optional<double> array::number_at(std::size_t i) const {
    switch (type_) {
        case value_type::float32: return load<float>(bytes_, i);
        case value_type::float64: return load<double>(bytes_, i);
        case value_type::uint64: return static_cast<double>(load<std::uint64_t>(bytes_, i));
        default: {
            const auto whole = integer_at(i);
            return whole ? std::optional<double>(static_cast<double>(*whole)) : std::nullopt;
        }
    }
}

std::optional<std::int64_t> value::integer() const {
    return std::visit(
        [](const auto& number) -> std::optional<std::int64_t> {
            using T = std::decay_t<decltype(number)>;
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
                return to_integer(number);
            } else {
                return std::nullopt;
            }
        },
        held);
}

std::optional<double> value::number() const {
    return std::visit(
        [](const auto& number) -> std::optional<double> {
            using T = std::decay_t<decltype(number)>;
            if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
                return static_cast<double>(number);
            } else {
                return std::nullopt;
            }
        },
        held);
}

std::optional<std::string_view> value::text() const {
    const auto* found = std::get_if<std::string>(&held);
    return found != nullptr ? std::optional<std::string_view>(*found) : std::nullopt;
}

}  // namespace starling::gguf
