#include "gguf/split_rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace starling::gguf {

namespace {

constexpr auto listed = window_use::listed;
constexpr auto always = window_use::always;
constexpr auto if_given = window_use::if_given;
constexpr auto no_kv = recurrence::without_kv_heads;
constexpr auto between = recurrence::between_attention;

// Sorted.
constexpr auto table = std::to_array<split_rule>({
    {.architecture = "afmoe", .inject = "inp_embd_scaled", .windows = if_given, .window_period = 4, .period = 4},
    {.architecture = "arcee"},
    {.architecture = "arctic"},
    {.architecture = "bailingmoe"},
    {.architecture = "bailingmoe2"},
    {.architecture = "bailingmoe3", .inject = "model.input_embed", .recurrent = no_kv},
    {.architecture = "bloom", .inject = "inp_norm-0"},
    {.architecture = "chatglm"},
    {.architecture = "codeshell"},
    {.architecture = "cogvlm"},
    {.architecture = "cohere2", .windows = always, .window_period = 4},
    {.architecture = "cohere2moe", .windows = always, .window_period = 4, .full_first = true},
    {.architecture = "command-r", .odd_count = 64, .odd_from = true},
    {.architecture = "dbrx"},
    {.architecture = "deci"},
    {.architecture = "deepseek"},
    {.architecture = "deepseek2", .other = quirk::deepseek2},
    {.architecture = "deepseek32"},
    {.architecture = "deepseek4", .inject = "hc_init", .capture = "l_last", .other = quirk::deepseek4},
    {.architecture = "dots1"},
    {.architecture = "dots3note", .windows = listed},
    {.architecture = "dream"},
    {.architecture = "ernie4_5"},
    {.architecture = "ernie4_5-moe", .other = quirk::moe_step},
    {.architecture = "exaone"},
    {.architecture = "exaone-moe", .windows = always, .window_period = 4},
    {.architecture = "exaone4", .odd_count = 64},
    {.architecture = "falcon"},
    {.architecture = "falcon-h1"},
    {.architecture = "gemma", .inject = "inp_scaled"},
    {.architecture = "gemma2",
     .inject = "inp_scaled",
     .windows = always,
     .window_period = 2,
     .odd_count = 46,
     .other = quirk::gemma},
    {.architecture = "gemma3",
     .inject = "inp_scaled",
     .windows = if_given,
     .window_period = 6,
     .odd_count = 62,
     .other = quirk::gemma},
    {.architecture = "glm-dsa", .other = quirk::glm_dsa},
    {.architecture = "glm4"},
    {.architecture = "glm4moe"},
    {.architecture = "gpt-oss", .windows = always, .window_period = 2},
    {.architecture = "gpt2", .inject = "inpL"},
    {.architecture = "gptneox"},
    {.architecture = "granite"},
    {.architecture = "granite_swa", .windows = listed},
    {.architecture = "granitehybrid", .recurrent = no_kv},
    {.architecture = "granitemoe"},
    {.architecture = "grok"},
    {.architecture = "grovemoe"},
    {.architecture = "hunyuan-dense"},
    {.architecture = "hunyuan-moe"},
    {.architecture = "hunyuan_vl"},
    {.architecture = "hy_v3"},
    {.architecture = "hy_v4", .inject = "hc_init"},
    {.architecture = "internlm2"},
    {.architecture = "jais"},
    {.architecture = "jais2"},
    {.architecture = "jamba", .recurrent = no_kv},
    {.architecture = "kimi-linear", .inject = "model.embed_tokens", .recurrent = no_kv},
    {.architecture = "laguna", .windows = if_given, .window_period = 4, .full_first = true},
    {.architecture = "lfm2", .inject = "model.embed_tokens", .recurrent = no_kv},
    {.architecture = "lfm2moe", .inject = "model.embed_tokens", .recurrent = no_kv},
    {.architecture = "llada"},
    {.architecture = "llada-moe"},
    {.architecture = "llama"},
    {.architecture = "llama4",
     .windows = window_use::unless_zero,
     .window_period = 4,
     .period = 4,
     .other = quirk::llama4},
    {.architecture = "maincoder"},
    {.architecture = "mamba"},
    {.architecture = "mamba2"},
    {.architecture = "maple", .windows = listed},
    {.architecture = "mellum", .windows = if_given, .window_period = 4},
    {.architecture = "mimo2", .windows = listed},
    {.architecture = "minicpm", .other = quirk::minicpm},
    {.architecture = "minicpm3", .inject = "inp_scaled", .other = quirk::minicpm3},
    {.architecture = "minimax-m2"},
    {.architecture = "minimax-m3", .other = quirk::minimax_m3},
    {.architecture = "mistral3"},
    {.architecture = "mistral4", .other = quirk::deepseek2},
    {.architecture = "mpt", .inject = "inpL"},
    {.architecture = "muse-glimmer", .inject = "embd_norm", .windows = always, .window_period = 4},
    {.architecture = "nanbeige", .other = quirk::nanbeige},
    {.architecture = "nemotron"},
    {.architecture = "nemotron_h", .capture = "nemotron_h_block_out", .recurrent = no_kv, .other = quirk::nemotron_h},
    {.architecture = "nemotron_h_moe",
     .capture = "nemotron_h_block_out",
     .recurrent = no_kv,
     .other = quirk::nemotron_h},
    {.architecture = "olmo"},
    {.architecture = "olmo2", .windows = if_given, .window_period = 4},
    {.architecture = "olmoe"},
    {.architecture = "openelm"},
    {.architecture = "orion"},
    {.architecture = "paddleocr"},
    {.architecture = "pangu-embedded"},
    {.architecture = "phi2"},
    {.architecture = "phi3"},
    {.architecture = "phimoe"},
    {.architecture = "plamo"},
    {.architecture = "plamo2", .inject = "embedding_output", .capture = "ffn_residual", .recurrent = no_kv},
    {.architecture = "plamo3", .windows = if_given, .window_period = 8},
    {.architecture = "pockettts"},
    {.architecture = "qwen"},
    {.architecture = "qwen2"},
    {.architecture = "qwen2moe"},
    {.architecture = "qwen2vl"},
    {.architecture = "qwen3"},
    {.architecture = "qwen35", .inject = "model.input_embed", .recurrent = between, .attention_interval = 4},
    {.architecture = "qwen35moe", .inject = "model.input_embed", .recurrent = between, .attention_interval = 4},
    {.architecture = "qwen3moe"},
    {.architecture = "qwen3next", .inject = "model.embed_tokens", .recurrent = between, .attention_interval = 4},
    {.architecture = "qwen3tts", .other = quirk::own_head},
    {.architecture = "qwen3vl"},
    {.architecture = "qwen3vlmoe"},
    {.architecture = "qwen4exp",
     .inject = "hc_init",
     .capture = "l_last",
     .recurrent = between,
     .attention_interval = 4},
    {.architecture = "refact"},
    {.architecture = "rnd1"},
    {.architecture = "seed_oss"},
    {.architecture = "smallthinker",
     .windows = if_given,
     .window_period = 4,
     .full_first = true,
     .period = 4,
     .other = quirk::smallthinker},
    {.architecture = "smollm3", .period = 4},
    {.architecture = "spark2_5", .windows = listed},
    {.architecture = "stablelm"},
    {.architecture = "starcoder", .inject = "inpL"},
    {.architecture = "starcoder2"},
    {.architecture = "xverse"},
});

constexpr bool by_architecture(const split_rule& a, const split_rule& b) {
    return a.architecture < b.architecture;
}
static_assert(std::is_sorted(table.begin(), table.end(), by_architecture));

struct refusal_entry {
    std::string_view architecture;
    std::string_view why;
};

constexpr auto refusals = std::to_array<refusal_entry>({
    {"baichuan", "llama.cpp chooses its position encoding by the number of layers, which a stage has fewer of"},
    {"hrm_text", "its layers are run again and again in cycles, and not one after the other"},
    {"kimi-k3", "its layers mix in what layers long before them have given"},
    {"minimax-01", "how fast a layer forgets depends on its place among all layers of the model"},
    {"talkie", "every layer adds the embeddings of the tokens, which only the first stage has"},
});

std::int64_t number_of(const file_header& header, std::string_view suffix, std::int64_t otherwise) {
    const value* found = header.find_for_architecture(suffix);
    return found != nullptr ? found->integer().value_or(otherwise) : otherwise;
}

// A list with an entry for each layer, or for each that is run; nothing when there is none or it is too short.
std::vector<std::uint32_t> list_of(const file_header& header, std::string_view suffix) {
    const value* found = header.find_for_architecture(suffix);
    const auto* list = found != nullptr ? std::get_if<array>(&found->held) : nullptr;
    const auto layers = static_cast<std::size_t>(run_layers(header));
    if (list == nullptr || list->size() < layers) {
        return {};
    }
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < layers; ++i) {
        out.push_back(list->integer_at(i).value_or(0) != 0 ? 1 : 0);
    }
    return out;
}

bool has_windows(const split_rule& rule, const file_header& header) {
    const std::int64_t window = number_of(header, "attention.sliding_window", -1);
    switch (rule.windows) {
        case window_use::none: return false;
        case window_use::listed:
        case window_use::always: return true;
        case window_use::if_given: return window > 0;
        case window_use::unless_zero: return window != 0;
    }
    return false;
}

bool has_odd_count(const split_rule& rule, std::int32_t layers) {
    return rule.odd_count != 0 && (layers == rule.odd_count || (rule.odd_from && layers > rule.odd_count));
}

// Some models have layers without attention or state.
bool is_feed_forward_alone(const split_rule& rule, const file_header& header, std::int64_t layer) {
    const value* found = header.find_for_architecture("feed_forward_length");
    if (rule.other != quirk::nemotron_h || found == nullptr) {
        return false;
    }
    const auto* list = std::get_if<array>(&found->held);
    const auto i = static_cast<std::size_t>(layer);
    const auto length = list == nullptr ? found->integer() : i < list->size() ? list->integer_at(i) : std::nullopt;
    return length.value_or(0) > 0;
}

metadata_entry number_entry(const file_header& header, std::string_view suffix, std::uint32_t number) {
    return {std::string(header.architecture()) + "." + std::string(suffix), value{number}};
}

metadata_entry list_entry(const file_header& header, std::string_view suffix, const std::vector<std::uint32_t>& list) {
    std::string bytes(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(std::uint32_t));
    return {std::string(header.architecture()) + "." + std::string(suffix),
            value{array::of_scalars(value_type::uint32, std::move(bytes))}};
}

// DeepSeek V2 Lite and its like are known by their number of layers: they have one matrix for the queries instead of
// two. A file that says that the second has no rows is read in the same way.
bool is_deepseek2_lite(const file_header& header, std::int32_t layers) {
    constexpr std::int64_t lite_vocabulary = 128256;
    return layers == 26 || layers == 27 || (layers == 48 && header.vocabulary_size() == lite_vocabulary);
}

void add_deepseek2(const file_header& header, std::vector<metadata_entry>& out) {
    constexpr std::int64_t glm_lite_vocabulary = 154880;
    constexpr std::uint32_t softmax = 1;
    constexpr std::uint32_t sigmoid = 2;
    const std::int32_t layers = run_layers(header);
    if (is_deepseek2_lite(header, layers)) {
        out.push_back(number_entry(header, "attention.q_lora_rank", 0));
    }
    if (number_of(header, "expert_gating_func", 0) == 0) {
        const bool glm_lite = (layers == 47 || layers == 48) && header.vocabulary_size() == glm_lite_vocabulary;
        out.push_back(number_entry(header, "expert_gating_func", glm_lite ? sigmoid : softmax));
    }
}

}  // namespace

std::span<const split_rule> split_rules() {
    return table;
}

const split_rule* find_split_rule(std::string_view architecture) {
    const auto* found =
        std::lower_bound(table.begin(), table.end(), architecture,
                         [](const split_rule& row, std::string_view wanted) { return row.architecture < wanted; });
    return found != table.end() && found->architecture == architecture ? found : nullptr;
}

std::string_view refusal(std::string_view architecture) {
    const auto* found = std::find_if(refusals.begin(), refusals.end(),
                                     [&](const refusal_entry& entry) { return entry.architecture == architecture; });
    return found != refusals.end() ? found->why : "its stages have not been shown to compute the same as the whole";
}

std::int32_t run_layers(const file_header& header) {
    const std::int64_t layers = header.layers();
    const std::int64_t predicting = number_of(header, "nextn_predict_layers", 0);
    return static_cast<std::int32_t>(layers - std::clamp<std::int64_t>(predicting, 0, layers));
}

std::vector<std::uint32_t> window_layers(const split_rule& rule, const file_header& header) {
    if (!has_windows(rule, header)) {
        return {};
    }
    auto out = list_of(header, "attention.sliding_window_pattern");
    if (!out.empty() || rule.windows == window_use::listed) {
        return out;
    }
    const auto period =
        std::max<std::int64_t>(number_of(header, "attention.sliding_window_pattern", rule.window_period), 0);
    for (std::int64_t layer = 0; layer < run_layers(header); ++layer) {
        const bool full = period > 0 && layer % period == (rule.full_first ? 0 : period - 1);
        out.push_back(full ? 0 : 1);
    }
    return out;
}

std::vector<std::uint32_t> recurrent_layers(const split_rule& rule, const file_header& header) {
    std::vector<std::uint32_t> out;
    if (rule.recurrent == recurrence::between_attention) {
        out = list_of(header, "attention.recurrent_layers");
    }
    if (rule.recurrent == recurrence::none || !out.empty()) {
        return out;
    }
    const auto interval =
        std::max<std::int64_t>(number_of(header, "full_attention_interval", rule.attention_interval), 1);
    for (std::int64_t layer = 0; layer < run_layers(header); ++layer) {
        const bool recurrent = rule.recurrent == recurrence::without_kv_heads
                                   ? header.kv_heads(layer) == 0 && !is_feed_forward_alone(rule, header, layer)
                                   : (layer + 1) % interval != 0;
        out.push_back(recurrent ? 1 : 0);
    }
    return out;
}

std::vector<std::uint32_t> needed_layers(const split_rule& rule, const file_header& header) {
    const std::int32_t layers = run_layers(header);
    std::vector<std::uint32_t> out;
    if (rule.recurrent == recurrence::without_kv_heads) {
        for (std::int32_t layer = 0; layer < layers; ++layer) {
            out.push_back(header.kv_heads(layer) > 0 && !is_feed_forward_alone(rule, header, layer) ? 1 : 0);
        }
    }
    if (rule.other == quirk::minimax_m3) {
        // The first layers have no indexer.
        const std::int64_t dense = number_of(header, "leading_dense_block_count", 0);
        for (std::int32_t layer = 0; layer < layers; ++layer) {
            out.push_back(layer >= dense ? 1 : 0);
        }
    }
    if (rule.other == quirk::deepseek4) {
        // The memory of layers that compress four positions into one is the one that must not be empty.
        constexpr std::int64_t fine = 4;
        const value* found = header.find_for_architecture("attention.compress_ratios");
        const auto* list = found != nullptr ? std::get_if<array>(&found->held) : nullptr;
        for (std::size_t i = 0; list != nullptr && i < list->size() && i < static_cast<std::size_t>(layers); ++i) {
            out.push_back(list->integer_at(i) == fine ? 1 : 0);
        }
    }
    return out;
}

std::vector<stage_seams::factor> derived_factors(const split_rule& rule, const file_header& header,
                                                 std::int32_t of_layers) {
    if (rule.other == quirk::minicpm3) {
        const float scale = 1.4F / std::sqrt(static_cast<float>(of_layers));
        return {{"hidden_scaled", scale}, {"hidden_scaled_ffn", scale}};
    }
    if (rule.other == quirk::gemma && has_odd_count(rule, of_layers) && header.heads(0) > 0) {
        const float length = static_cast<float>(header.embedding_length() / header.heads(0));
        return {{"Qcur", 1.0F / std::sqrt(length)}};
    }
    return {};
}

std::int32_t cut_period(const split_rule& rule, const file_header& header) {
    if (rule.other == quirk::smallthinker && !has_windows(rule, header)) {
        return 1;
    }
    if (rule.other != quirk::moe_step && rule.other != quirk::llama4) {
        return rule.period;
    }
    const auto step = std::clamp<std::int64_t>(number_of(header, "interleave_moe_layer_step", 1), 1, header.layers());
    return std::lcm(rule.period, static_cast<std::int32_t>(step));
}

std::string model_refusal(const split_rule& rule, const file_header& header) {
    const std::int32_t layers = run_layers(header);
    if (rule.other != quirk::gemma && has_odd_count(rule, layers)) {
        return "llama.cpp knows those with " + std::to_string(layers) +
               " layers by that number and computes them in their own way, which it would not for a stage";
    }
    constexpr std::int64_t long_context = 1048576;
    if (rule.other == quirk::glm_dsa && header.context_length() >= long_context &&
        header.find_for_architecture("attention.indexer.types") == nullptr) {
        return "this file does not say which of its layers have an indexer of their own; convert the model again";
    }
    if (rule.other == quirk::nanbeige && number_of(header, "num_loops", 1) > 1) {
        return "this one runs its layers several times, and not one after the other";
    }
    if (rule.other == quirk::llama4 && !has_windows(rule, header)) {
        return "of those without a window, llama.cpp computes the last layer unlike the others";
    }
    return {};
}

bool is_usual_count(const split_rule& rule, const file_header& header, std::int32_t layers) {
    if (has_odd_count(rule, layers)) {
        return false;
    }
    if (rule.other == quirk::deepseek2) {
        return is_deepseek2_lite(header, run_layers(header)) || !is_deepseek2_lite(header, layers);
    }
    return rule.other != quirk::smallthinker || layers != rule.period || !has_windows(rule, header);
}

std::vector<metadata_entry> derived_values(const split_rule& rule, const file_header& header) {
    std::vector<metadata_entry> out;
    if (auto windows = window_layers(rule, header); !windows.empty()) {
        windows.resize(static_cast<std::size_t>(header.layers()), 0);
        out.push_back(list_entry(header, "attention.sliding_window_pattern", windows));
    }
    if (rule.recurrent == recurrence::between_attention) {
        auto recurrent = recurrent_layers(rule, header);
        recurrent.resize(static_cast<std::size_t>(header.layers()), 0);
        out.push_back(list_entry(header, "attention.recurrent_layers", recurrent));
    }
    if (rule.other == quirk::deepseek2) {
        add_deepseek2(header, out);
    }
    if (rule.other == quirk::minicpm && header.find_for_architecture("residual_scale") == nullptr) {
        // As llama.cpp computes it where the file does not say it.
        const float scale = 1.4F / std::sqrt(static_cast<float>(run_layers(header)));
        out.push_back({std::string(header.architecture()) + ".residual_scale", value{scale}});
    }
    return out;
}

}  // namespace starling::gguf
