#include "gguf/check.hpp"
#include "gguf/header_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace starling::gguf {

namespace {

// ggml's CPU buffers begin at multiples of this, and it aborts when a mapped file does not.
constexpr std::uint32_t smallest_alignment = 32;
// Wide enough for every model, and small enough that products of a few of these do not overflow 32 bits in llama.cpp.
constexpr std::int64_t max_width = 1 << 24;
constexpr std::int64_t max_heads = 1 << 14;
constexpr std::int64_t max_head_length = 1 << 16;
constexpr std::int64_t max_pooling_type = 4;              // LLAMA_POOLING_TYPE_RANK
constexpr std::int64_t unspecified_pooling = 0xFFFFFFFF;  // LLAMA_POOLING_TYPE_UNSPECIFIED as a u32

// Graphs of these assert that keys and values of a head have the same length. Sorted.
constexpr auto same_head_lengths = std::to_array<std::string_view>(
    {"afmoe",      "apertus",      "arcee",       "arctic",    "baichuan",  "bitnet",     "bloom",      "chatglm",
     "codeshell",  "cogvlm",       "cohere2",     "command-r", "dbrx",      "deci",       "dream",      "ernie4_5",
     "exaone",     "exaone4",      "falcon",      "glm4",      "glm4moe",   "gpt2",       "gptneox",    "granite",
     "granitemoe", "grok",         "hunyuan-moe", "internlm2", "jais",      "llada",      "llama",      "llama4",
     "maincoder",  "mistral3",     "mpt",         "nemotron",  "olmo",      "olmo2",      "olmoe",      "openelm",
     "orion",      "phi2",         "phi3",        "plamo",     "qwen",      "qwen2",      "qwen2moe",   "qwen2vl",
     "qwen3",      "qwen35",       "qwen35moe",   "qwen3moe",  "qwen3next", "qwen3vl",    "qwen3vlmoe", "refact",
     "seed_oss",   "smallthinker", "smollm3",     "stablelm",  "starcoder", "starcoder2", "xverse"});
static_assert(std::is_sorted(same_head_lengths.begin(), same_head_lengths.end()));

// Norms and biases are f32. Matrices are of float types or quantised, but not in the two types that only intermediate
// results have; and a table that leads from tokens to experts holds numbers.
bool is_weight_type(const tensor_info& tensor) {
    const auto type = find_tensor_type(tensor.type);
    if (tensor.name.find("tid2eid") != std::string::npos) {
        return type->name == "i32" || type->name == "f32";
    }
    if (tensor.dimensions <= 1) {
        return type->name == "f32";
    }
    const bool floating = type->name == "f32" || type->name == "f16" || type->name == "bf16";
    return floating || (type->quantized && type->name != "q8_1" && type->name != "q8_K");
}

class checker {
  public:
    explicit checker(const file_header& header) : header_(header) {}

    result<void> run() {
        for (auto step : {&checker::kind, &checker::tensors, &checker::sizes, &checker::experts, &checker::heads,
                          &checker::projections, &checker::rotation, &checker::numbers}) {
            if (auto done = (this->*step)(); !done) {
                return done;
            }
        }
        return {};
    }

  private:
    std::string key(std::string_view suffix) const {
        return std::string(header_.architecture()) + "." + std::string(suffix);
    }
    /// The u32 value of a key, or -1 when it is not there. llama.cpp takes no other type.
    result<std::int64_t> number(std::string_view suffix, std::int64_t low, std::int64_t high) const;
    result<std::int64_t> required(std::string_view suffix, std::int64_t low, std::int64_t high) const;
    result<void> per_layer(std::string_view suffix, std::int64_t high) const;

    result<void> kind();
    result<void> tensors();
    result<void> sizes();
    result<void> experts();
    result<void> heads();
    result<void> projections();
    result<void> rotation();
    result<void> numbers();

    const file_header& header_;
};

result<std::int64_t> checker::number(std::string_view suffix, std::int64_t low, std::int64_t high) const {
    const value* found = header_.find_for_architecture(suffix);
    if (found == nullptr) {
        return -1;
    }
    const auto* given = std::get_if<std::uint32_t>(&found->held);
    if (given == nullptr) {
        return fail(errc::corrupt,
                    key(suffix) + " has the type " + std::string(name_of(found->type())) + " instead of u32");
    }
    if (*given < low || *given > high) {
        return fail(errc::corrupt, key(suffix) + " is " + std::to_string(*given) + "; it must be from " +
                                       std::to_string(low) + " to " + std::to_string(high));
    }
    return *given;
}

result<std::int64_t> checker::required(std::string_view suffix, std::int64_t low, std::int64_t high) const {
    auto found = number(suffix, low, high);
    if (found && *found < 0) {
        return fail(errc::corrupt, key(suffix) + " is missing, so this is not a complete model");
    }
    return found;
}

// One number for all layers, or an array with one for each.
result<void> checker::per_layer(std::string_view suffix, std::int64_t high) const {
    const value* found = header_.find_for_architecture(suffix);
    const auto* list = found != nullptr ? std::get_if<array>(&found->held) : nullptr;
    if (list == nullptr) {
        auto scalar = number(suffix, 0, high);
        return scalar ? result<void>() : scalar.error();
    }
    if (list->type() != value_type::uint32 && list->type() != value_type::int32) {
        return fail(errc::corrupt,
                    key(suffix) + " is an array of " + std::string(name_of(list->type())) + " instead of u32");
    }
    if (static_cast<std::int64_t>(list->size()) != header_.layers()) {
        return fail(errc::corrupt, key(suffix) + " has " + std::to_string(list->size()) + " numbers for " +
                                       std::to_string(header_.layers()) + " layers");
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto given = list->integer_at(i).value_or(-1);
        if (given < 0 || given > high) {
            return fail(errc::corrupt, key(suffix) + " is " + std::to_string(given) + " for layer " +
                                           std::to_string(i) + "; it must be from 0 to " + std::to_string(high));
        }
    }
    return {};
}

result<void> checker::kind() {
    const value* architecture = header_.find("general.architecture");
    if (architecture == nullptr || !architecture->text() || architecture->text()->empty()) {
        return fail(errc::corrupt,
                    "general.architecture is missing or not a string, so nobody can say what model this is");
    }
    if (header_.architecture() == "clip") {
        return fail(errc::unsupported,
                    "this file is an image projector and not a language model; give the model's own file");
    }
    const value* type = header_.find("general.type");
    if (type != nullptr && type->text() && *type->text() != "model") {
        return fail(errc::unsupported, "this file holds '" + shown(*type->text()) + "' and not a whole model");
    }
    const value* parts = header_.find("split.count");
    if (parts != nullptr && parts->integer().value_or(2) > 1) {
        return fail(errc::unsupported, "this file is one part of " + std::to_string(parts->integer().value_or(0)) +
                                           "; join the parts with 'llama-gguf-split --merge' and give the whole file");
    }
    return {};
}

result<void> checker::tensors() {
    if (header_.tensors.empty()) {
        return fail(errc::unsupported, "this file has a vocabulary and no tensors; give a whole model");
    }
    if (header_.alignment < smallest_alignment) {
        return fail(errc::unsupported, "general.alignment is " + std::to_string(header_.alignment) +
                                           "; llama.cpp needs at least " + std::to_string(smallest_alignment));
    }
    for (const tensor_info& tensor : header_.tensors) {
        if (tensor.elements() == 0) {
            return fail(errc::corrupt, "the tensor '" + shown(tensor.name) + "' is empty");
        }
        if (!is_weight_type(tensor)) {
            return fail(errc::corrupt, "the tensor '" + shown(tensor.name) + "' has the type " +
                                           std::string(find_tensor_type(tensor.type)->name) +
                                           ", which no weights of its kind have");
        }
    }
    return {};
}

result<void> checker::sizes() {
    const auto layers = required("block_count", 1, max_layers);
    if (!layers) {
        return layers.error();
    }
    if (auto done = number("nextn_predict_layers", 0, *layers - 1); !done) {
        return done.error();
    }
    if (auto done = required("context_length", 1, std::numeric_limits<std::int32_t>::max()); !done) {
        return done.error();
    }
    if (auto done = required("embedding_length", 1, max_width); !done) {
        return done.error();
    }
    if (auto done = number("embedding_length_out", 0, max_width); !done) {
        return done.error();
    }
    const value* pooling = header_.find_for_architecture("pooling_type");
    const bool unspecified = pooling != nullptr && pooling->integer() == unspecified_pooling;
    if (auto done = unspecified ? result<std::int64_t>(0) : number("pooling_type", 0, max_pooling_type); !done) {
        return done.error();
    }
    for (const char* part : {"posnet.block_count", "convnext.block_count"}) {
        if (auto done = number(part, 0, *layers); !done) {
            return done.error();
        }
    }
    return per_layer("feed_forward_length", max_width);
}

result<void> checker::experts() {
    const auto count = number("expert_count", 0, max_experts);
    const auto groups = count ? number("expert_group_count", 0, max_experts) : count;
    const auto groups_used = groups ? number("expert_group_used_count", 0, max_experts) : groups;
    if (!groups_used) {
        return groups_used.error();
    }
    if (auto done = per_layer("expert_used_count", max_experts); !done) {
        return done;
    }
    std::int64_t used = 0;
    const value* found = header_.find_for_architecture("expert_used_count");
    if (found != nullptr) {
        const auto* list = std::get_if<array>(&found->held);
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            used = std::max(used, list->integer_at(i).value_or(0));
        }
        used = list != nullptr ? used : found->integer().value_or(0);
    }
    const std::int64_t experts = std::max<std::int64_t>(*count, 0);
    // Dense siblings of mixture models say "one expert".
    if (experts <= 1 && header_.architecture().starts_with("hunyuan")) {
        return {};
    }
    if (used > experts || (experts > 0 && used == 0)) {
        return fail(errc::corrupt, "the model has " + std::to_string(experts) + " experts and uses " +
                                       std::to_string(used) + " of them for a token, which cannot be");
    }
    if (*groups > 0 && (*groups >= experts ||
                        (*groups > 1 && (experts % *groups != 0 || *groups_used <= 0 || *groups_used >= *groups)))) {
        return fail(errc::corrupt, "the model's " + std::to_string(experts) + " experts cannot be dealt into " +
                                       std::to_string(*groups) + " groups of which " +
                                       std::to_string(std::max<std::int64_t>(*groups_used, 0)) + " are used");
    }
    return {};
}

result<void> checker::heads() {
    for (const char* suffix : {"attention.head_count", "attention.head_count_kv"}) {
        if (auto done = per_layer(suffix, max_heads); !done) {
            return done;
        }
    }
    for (const char* suffix :
         {"attention.key_length", "attention.value_length", "attention.key_length_swa", "attention.value_length_swa",
          "attention.key_length_mla", "attention.value_length_mla"}) {
        if (auto done = number(suffix, 0, max_head_length); !done) {
            return done.error();
        }
    }
    for (std::int64_t layer = 0; layer < header_.layers(); ++layer) {
        const std::int64_t heads = header_.heads(layer);
        const std::int64_t kv_heads = header_.kv_heads(layer);
        if (kv_heads > 0 && heads % kv_heads != 0) {
            return fail(errc::corrupt, "layer " + std::to_string(layer) + " has " + std::to_string(heads) +
                                           " heads, which its " + std::to_string(kv_heads) +
                                           " key-value heads do not divide");
        }
    }
    if (header_.heads(0) > 0 && (header_.key_length() == 0 || header_.value_length() == 0)) {
        return fail(errc::corrupt, "an embedding of " + std::to_string(header_.embedding_length()) +
                                       " cannot be dealt to " + std::to_string(header_.heads(0)) + " heads");
    }
    const bool same = std::binary_search(same_head_lengths.begin(), same_head_lengths.end(), header_.architecture());
    if (same && header_.heads(0) > 0 && header_.key_length() != header_.value_length()) {
        return fail(errc::corrupt, "the keys of a head have " + std::to_string(header_.key_length()) +
                                       " elements and its values " + std::to_string(header_.value_length()) +
                                       ", which a " + std::string(header_.architecture()) + " model cannot have");
    }
    return {};
}

// Some graphs reshape by the lengths of the metadata what was computed with the rows of these matrices.
result<void> checker::projections() {
    struct projection {
        const char* tensor;
        std::int64_t length;
        const char* sliding_window;  // layers with a window may have heads of another length
    };
    for (const projection& p : {projection{"attn_k.weight", header_.key_length(), "attention.key_length_swa"},
                                projection{"attn_v.weight", header_.value_length(), "attention.value_length_swa"}}) {
        const auto other = number(p.sliding_window, 0, max_head_length);
        const tensor_info* unmatched = nullptr;
        bool matched = false;
        for (std::int64_t layer = 0; layer < header_.layers(); ++layer) {
            const tensor_info* tensor = header_.find_tensor("blk." + std::to_string(layer) + "." + p.tensor);
            const std::int64_t heads = header_.kv_heads(layer);
            if (tensor == nullptr || heads == 0) {
                continue;
            }
            const auto rows = static_cast<std::int64_t>(tensor->shape[1]);
            if (rows == heads * p.length) {
                matched = true;
                continue;
            }
            unmatched = tensor;
            if (rows != heads * (other ? *other : -1)) {
                matched = false;
                break;
            }
        }
        // A model of windows alone would not say what the others have.
        if (unmatched != nullptr && !matched) {
            return fail(errc::corrupt, "the tensor '" + shown(unmatched->name) + "' has " +
                                           std::to_string(unmatched->shape[1]) +
                                           " rows, which are not those of heads of " + std::to_string(p.length));
        }
    }
    return {};
}

result<void> checker::rotation() {
    const value* scaling = header_.find_for_architecture("rope.scaling.type");
    if (scaling != nullptr && scaling->text()) {
        const std::string_view type = *scaling->text();
        if (type != "none" && type != "linear" && type != "yarn" && type != "longrope") {
            return fail(errc::unsupported,
                        key("rope.scaling.type") + " is '" + shown(type) + "', which llama.cpp does not know");
        }
    }
    const auto rotated = number("rope.dimension_count", 0, max_head_length);
    if (!rotated) {
        return rotated.error();
    }
    if (header_.heads(0) > 0 && (*rotated > header_.key_length() || (*rotated > 0 && *rotated % 2 != 0))) {
        return fail(errc::corrupt, key("rope.dimension_count") + " is " + std::to_string(*rotated) +
                                       "; it must be even and at most " + std::to_string(header_.key_length()) +
                                       ", the length of a head");
    }
    return {};
}

// Numbers that end up in every layer's arithmetic.
result<void> checker::numbers() {
    const std::string prefix = std::string(header_.architecture()) + ".";
    for (const metadata_entry& entry : header_.metadata) {
        const auto* given = std::get_if<float>(&entry.value.held);
        if (given == nullptr || !entry.key.starts_with(prefix)) {
            continue;
        }
        const std::string_view suffix = std::string_view(entry.key).substr(prefix.size());
        const bool rope = suffix.starts_with("rope.");
        // Other numbers use a negative value for "not set".
        const bool positive = suffix.starts_with("rope.freq_base") || suffix.ends_with("epsilon");
        if (std::isnan(*given) || ((rope || positive) && !std::isfinite(*given)) || (positive && *given < 0)) {
            return fail(errc::corrupt,
                        shown(entry.key) + " is " + std::to_string(*given) + ", which is no sensible number");
        }
    }
    return {};
}

}  // namespace

result<void> check_hyperparameters(const file_header& header) {
    return checker(header).run();
}

}  // namespace starling::gguf
