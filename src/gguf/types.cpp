#include "gguf/types.hpp"

#include <algorithm>
#include <array>

namespace starling::gguf {

namespace {

// Elements of a "K" super-block.
constexpr std::uint32_t qk_k = 256;

// In order of number. 4, 5, 31 to 33 and 36 to 38 were removed from ggml.
constexpr std::array<tensor_type_info, 35> table{{
    {0, "f32", 1, 4, false},         {1, "f16", 1, 2, false},         {2, "q4_0", 32, 18, true},
    {3, "q4_1", 32, 20, true},       {6, "q5_0", 32, 22, true},       {7, "q5_1", 32, 24, true},
    {8, "q8_0", 32, 34, true},       {9, "q8_1", 32, 36, true},       {10, "q2_K", qk_k, 84, true},
    {11, "q3_K", qk_k, 110, true},   {12, "q4_K", qk_k, 144, true},   {13, "q5_K", qk_k, 176, true},
    {14, "q6_K", qk_k, 210, true},   {15, "q8_K", qk_k, 292, true},   {16, "iq2_xxs", qk_k, 66, true},
    {17, "iq2_xs", qk_k, 74, true},  {18, "iq3_xxs", qk_k, 98, true}, {19, "iq1_s", qk_k, 50, true},
    {20, "iq4_nl", 32, 18, true},    {21, "iq3_s", qk_k, 110, true},  {22, "iq2_s", qk_k, 82, true},
    {23, "iq4_xs", qk_k, 136, true}, {24, "i8", 1, 1, false},         {25, "i16", 1, 2, false},
    {26, "i32", 1, 4, false},        {27, "i64", 1, 8, false},        {28, "f64", 1, 8, false},
    {29, "iq1_m", qk_k, 56, true},   {30, "bf16", 1, 2, false},       {34, "tq1_0", qk_k, 54, true},
    {35, "tq2_0", qk_k, 66, true},   {39, "mxfp4", 32, 17, true},     {40, "nvfp4", 64, 36, true},
    {41, "q1_0", 128, 18, true},     {42, "q2_0", 64, 18, true},
}};

}  // namespace

std::string_view name_of(value_type type) {
    switch (type) {
        case value_type::uint8: return "u8";
        case value_type::int8: return "i8";
        case value_type::uint16: return "u16";
        case value_type::int16: return "i16";
        case value_type::uint32: return "u32";
        case value_type::int32: return "i32";
        case value_type::float32: return "f32";
        case value_type::boolean: return "bool";
        case value_type::string: return "string";
        case value_type::array: return "array";
        case value_type::uint64: return "u64";
        case value_type::int64: return "i64";
        case value_type::float64: return "f64";
    }
    return "unknown type";
}

std::optional<tensor_type_info> find_tensor_type(tensor_type type) {
    const auto found =
        std::lower_bound(table.begin(), table.end(), type,
                         [](const tensor_type_info& entry, tensor_type wanted) { return entry.type < wanted; });
    if (found == table.end() || found->type != type) {
        return std::nullopt;
    }
    return *found;
}

}  // namespace starling::gguf
