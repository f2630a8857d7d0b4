// What the parts of the slicer have in common.
#pragma once

#include "gguf/check.hpp"
#include "gguf/slice.hpp"
#include "gguf/split_rules.hpp"

#include <string_view>

namespace starling::gguf {

inline constexpr std::string_view origin_prefix = "starling.slice.";
inline constexpr std::string_view content_key = "starling.slice.content";
inline constexpr std::string_view first_layer_key = "starling.slice.first_layer";
inline constexpr std::string_view end_layer_key = "starling.slice.end_layer";
inline constexpr std::string_view layers_key = "starling.slice.layers";

/// What a file holds: all layers, or those of a slice.
struct extent {
    layer_range held;  // counted in the whole
    std::int32_t of_layers = 0;

    bool is_whole() const { return held.size() == of_layers; }
};

/// errc::corrupt when the file contradicts itself.
result<extent> extent_of(const file_header& header);

/// errc::cannot_split for architectures that have none, and for models that are exceptions to it.
result<const split_rule*> rule_of(const file_header& header, const extent& held);

}  // namespace starling::gguf
