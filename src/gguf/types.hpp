// The numbers of the format: value types of metadata and element types of tensors, as ggml of llama.cpp v0.5.0 has
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace starling::gguf {

/// Types of metadata values; the numbers are the file's.
enum class value_type : std::uint32_t {
    uint8 = 0,
    int8 = 1,
    uint16 = 2,
    int16 = 3,
    uint32 = 4,
    int32 = 5,
    float32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    uint64 = 10,
    int64 = 11,
    float64 = 12,
};

/// Bytes of one value in the file; 0 for string and array, which have no fixed size, and for unknown numbers.
constexpr std::size_t fixed_size(value_type type) {
    switch (type) {
        case value_type::uint8:
        case value_type::int8:
        case value_type::boolean: return 1;
        case value_type::uint16:
        case value_type::int16: return 2;
        case value_type::uint32:
        case value_type::int32:
        case value_type::float32: return 4;
        case value_type::uint64:
        case value_type::int64:
        case value_type::float64: return 8;
        case value_type::string:
        case value_type::array: return 0;
    }
    return 0;
}

std::string_view name_of(value_type type);

/// The ggml type of a tensor, by its number in the file.
using tensor_type = std::uint32_t;

struct tensor_type_info {
    tensor_type type = 0;
    std::string_view name;
    std::uint32_t block_elements = 1;  // elements that are stored together; a row is a multiple of it
    std::uint32_t block_bytes = 0;
    bool quantized = false;
};

/// Nothing for numbers that are unknown, or whose support was removed from ggml.
std::optional<tensor_type_info> find_tensor_type(tensor_type type);

}  // namespace starling::gguf
