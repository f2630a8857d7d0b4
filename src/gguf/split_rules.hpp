// What has to be known about an architecture to run it in stages, as llama.cpp v0.5.0 computes it.
// `tests/architectures` measures every row of the table; docs/architectures.md lists the outcome.
#pragma once

#include "gguf/slice.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::gguf {

/// Which layers attend to a sliding window only, where the file does not list them.
enum class window_use {
    none,
    listed,      // the file always has the list
    always,      // of each period all layers but one
    if_given,    // the same, in models that have a window
    unless_zero  // the same, in models that do not say that they have none
};

/// Which layers carry a recurrent state instead of a KV cache.
enum class recurrence {
    none,
    without_kv_heads,  // those with no key-value heads
    between_attention  // all but each n-th, where the file does not list them
};

/// What follows from the number of layers or another detail of a model. Each is a function in split_rules.cpp.
enum class quirk {
    none,
    deepseek2,
    deepseek4,
    gemma,
    glm_dsa,
    llama4,
    minicpm,
    minicpm3,
    minimax_m3,
    moe_step,
    nanbeige,
    nemotron_h,
    own_head,  // its output has a number of rows that llama.cpp knows
    smallthinker
};

struct split_rule {
    std::string_view architecture;
    std::string_view inject = "embd";    // tensor of the graph that enters layer 0
    std::string_view capture = "l_out";  // tensor of the graph that leaves layer i: this, '-' and i

    window_use windows = window_use::none;
    std::int32_t window_period = 0;
    bool full_first = false;  // the layer without a window is the first of its period instead of the last

    recurrence recurrent = recurrence::none;
    std::int32_t attention_interval = 0;

    std::int32_t period = 1;  // something else depends on the layer's number modulo this
    /// llama.cpp computes models with exactly this many layers in another way; 0: none.
    std::int32_t odd_count = 0;
    bool odd_from = false;  // also those with more
    quirk other = quirk::none;
};

std::span<const split_rule> split_rules();

/// nullptr for architectures that cannot be split; `refusal` says why.
const split_rule* find_split_rule(std::string_view architecture);

/// Why an architecture is not in the table: the end of a sentence.
std::string_view refusal(std::string_view architecture);

/// One number for each layer that is run, 1 where the layer is of the kind; empty where the model has no such layers.
std::vector<std::uint32_t> window_layers(const split_rule& rule, const file_header& header);
std::vector<std::uint32_t> recurrent_layers(const split_rule& rule, const file_header& header);

/// Layers that are run: all but those that predict further tokens, which follow them.
std::int32_t run_layers(const file_header& header);

/// At multiples of this the model may be cut, as far as the number of a layer goes.
std::int32_t cut_period(const split_rule& rule, const file_header& header);

/// Why this model cannot be split although others of its architecture can: the end of a sentence; empty: it can.
std::string model_refusal(const split_rule& rule, const file_header& header);

/// Layers of which every stage needs one, beside those with and without windows and states; empty where all will do.
std::vector<std::uint32_t> needed_layers(const split_rule& rule, const file_header& header);

/// Factors that llama.cpp derives from the number of layers, as the whole model of so many layers has them.
std::vector<stage_seams::factor> derived_factors(const split_rule& rule, const file_header& header,
                                                 std::int32_t of_layers);

/// Whether llama.cpp computes a stage of so many layers as it computes the whole.
bool is_usual_count(const split_rule& rule, const file_header& header, std::int32_t layers);

/// What the slice has to say because llama.cpp would otherwise derive it from what the slice has not.
std::vector<metadata_entry> derived_values(const split_rule& rule, const file_header& header);

}  // namespace starling::gguf
