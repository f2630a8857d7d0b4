// What has to be known about an architecture to run it in stages, as llama.cpp v0.5.0 computes it.
// `tests/architectures` measures every row of the table; docs/architectures.md lists the outcome.
#pragma once

#include "gguf/gguf.hpp"

#include <cstdint>
#include <string_view>

namespace starling::gguf {

/// How the layers of a model differ from each other, which decides where it may be cut.
enum class layer_pattern {
    alike,     // cut anywhere
    periodic,  // llama.cpp derives what a layer is from its number modulo a period: cut at multiples of it
};

struct split_rule {
    std::string_view architecture;
    layer_pattern pattern = layer_pattern::alike;
    std::int32_t period = 1;
    std::string_view inject = "embd";    // tensor of the graph that enters layer 0
    std::string_view capture = "l_out";  // tensor of the graph that leaves layer i: this, '-' and i
};

/// nullptr for architectures that cannot be split; `refusal` says why.
const split_rule* find_split_rule(std::string_view architecture);

/// Why an architecture is not in the table: a part of a sentence.
std::string_view refusal(std::string_view architecture);

}  // namespace starling::gguf
