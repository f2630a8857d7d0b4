// Makes a GGUF model of any size with random weights and the tokenizer and chat template of another: for benchmarks,
// where only the arithmetic counts. Llama architecture, dense or with experts. The file is written tensor by tensor, so
// memory stays small, and the same flags and seed give the same bytes.
//
// Weights are scaled so that every layer keeps the size of its input and the logits spread over a few units: greedy
// output is varied, and never the end token, whose row of the output matrix is zero like that of every token that is
// not plain text.
//
// A draft for such a model is its first layers alone (--first-layers). How often the two choose the same token is set
// by how much the other layers add to what the first ones say (--late-share), which changes no size and no arithmetic.
#include "shape.hpp"
#include "weights.hpp"

#include <ggml.h>
#include <gguf.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

namespace starling::tools {
namespace {

constexpr std::int32_t normal_token = 1;  // LLAMA_TOKEN_TYPE_NORMAL
constexpr float padding_score = -1e6F;    // of tokens that no text contains
constexpr float logit_deviation = 3.0F;
constexpr const char* tokens_key = "tokenizer.ggml.tokens";
constexpr const char* types_key = "tokenizer.ggml.token_type";
constexpr const char* scores_key = "tokenizer.ggml.scores";

struct options {
    std::string like;
    std::string out;
    std::string parameters;
    std::string type = "q8_0";
    std::int64_t vocabulary = 0;
    std::uint64_t seed = 1;
    std::uint32_t context = 4096;
    std::int64_t first_layers = 0;  // 0: all of them
    std::int64_t late_from = 0;     // layers from here on add `late_share` of what the others do
    float late_share = 1.0F;
    model_shape shape;

    std::int64_t written_layers() const { return first_layers == 0 ? shape.layers : first_layers; }
};

using gguf_pointer = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using ggml_pointer = std::unique_ptr<ggml_context, decltype(&ggml_free)>;
using file_pointer = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

// The tokenizer of `like`, and nothing else of it.
gguf_pointer copy_tokenizer(const std::string& like) {
    const gguf_pointer source(gguf_init_from_file(like.c_str(), {true, nullptr}), &gguf_free);
    if (!source) {
        throw std::runtime_error("cannot read " + like + "; give a GGUF model with --like");
    }
    gguf_pointer out(gguf_init_empty(), &gguf_free);
    gguf_set_kv(out.get(), source.get());
    for (std::int64_t i = 0; i < gguf_get_n_kv(source.get()); ++i) {
        const std::string key = gguf_get_key(source.get(), i);
        if (!key.starts_with("tokenizer.")) {
            gguf_remove_key(out.get(), key.c_str());
        }
    }
    const std::int64_t tokens = gguf_find_key(out.get(), tokens_key);
    if (tokens < 0 || gguf_get_kv_type(out.get(), tokens) != GGUF_TYPE_ARRAY ||
        gguf_get_arr_type(out.get(), tokens) != GGUF_TYPE_STRING) {
        throw std::runtime_error(like + " has no vocabulary");
    }
    return out;
}

template <class T>
std::vector<T> number_array(const gguf_context* from, const char* key, gguf_type type, std::size_t size) {
    const std::int64_t found = gguf_find_key(from, key);
    if (found < 0 || gguf_get_kv_type(from, found) != GGUF_TYPE_ARRAY || gguf_get_arr_type(from, found) != type ||
        gguf_get_arr_n(from, found) != size) {
        return {};
    }
    const auto* data = static_cast<const T*>(gguf_get_arr_data(from, found));
    return {data, data + size};
}

// Makes the vocabulary `size` tokens large with plain words that no text is split into. Gives the type of each token.
std::vector<std::int32_t> pad_vocabulary(gguf_context* model, std::int64_t size) {
    const std::int64_t key = gguf_find_key(model, tokens_key);
    const std::size_t known = gguf_get_arr_n(model, key);
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < known; ++i) {
        tokens.emplace_back(gguf_get_arr_str(model, key, i));
    }
    auto types = number_array<std::int32_t>(model, types_key, GGUF_TYPE_INT32, known);
    auto scores = number_array<float>(model, scores_key, GGUF_TYPE_FLOAT32, known);
    types.resize(std::max(types.size(), known), normal_token);
    const std::int64_t kind = gguf_find_key(model, "tokenizer.ggml.model");
    const bool bytes = kind >= 0 && std::string(gguf_get_val_str(model, kind)) == "gpt2";
    const std::string space = bytes ? "\xC4\xA0" : "\xE2\x96\x81";  // how each kind of tokenizer writes a space
    const std::unordered_set<std::string> taken(tokens.begin(), tokens.end());
    for (std::int64_t i = 0; static_cast<std::int64_t>(tokens.size()) < size; ++i) {
        std::string word = space + "w" + std::to_string(i);
        if (!taken.contains(word)) {
            tokens.push_back(std::move(word));
        }
    }
    types.resize(tokens.size(), normal_token);
    std::vector<const char*> pointers;
    for (const std::string& token : tokens) {
        pointers.push_back(token.c_str());
    }
    gguf_set_arr_str(model, tokens_key, pointers.data(), pointers.size());
    gguf_set_arr_data(model, types_key, GGUF_TYPE_INT32, types.data(), types.size());
    if (!scores.empty()) {
        scores.resize(tokens.size(), padding_score);
        gguf_set_arr_data(model, scores_key, GGUF_TYPE_FLOAT32, scores.data(), scores.size());
    }
    return types;
}

void set_hyperparameters(gguf_context* model, const options& given, ggml_type type) {
    const model_shape& s = given.shape;
    const auto u32 = [&](const char* key, std::int64_t value) {
        gguf_set_val_u32(model, key, static_cast<std::uint32_t>(value));
    };
    gguf_set_val_str(model, "general.architecture", "llama");
    gguf_set_val_str(model, "general.type", "model");
    gguf_set_val_str(model, "general.name", ("Synthetic " + std::to_string(s.parameters() / 1'000'000) + "M").c_str());
    u32("general.file_type", type == GGML_TYPE_Q8_0 ? 7 : type == GGML_TYPE_F16 ? 1 : 0);
    u32("general.quantization_version", 2);
    u32("llama.block_count", given.written_layers());
    u32("llama.context_length", given.context);
    u32("llama.embedding_length", s.embedding);
    u32("llama.feed_forward_length", s.feed_forward);
    u32("llama.attention.head_count", s.heads);
    u32("llama.attention.head_count_kv", s.kv_heads);
    u32("llama.rope.dimension_count", s.head_length());
    u32("llama.vocab_size", s.vocabulary);
    gguf_set_val_f32(model, "llama.attention.layer_norm_rms_epsilon", 1e-5F);
    gguf_set_val_f32(model, "llama.rope.freq_base", 10000.0F);
    if (s.experts > 0) {
        u32("llama.expert_count", s.experts);
        u32("llama.expert_used_count", s.experts_used);
    }
}

struct planned_tensor {
    ggml_tensor* tensor = nullptr;
    filling how;
    std::uint64_t stream = 0;  // of the random numbers: its place in the whole model
};

class planner {
  public:
    planner(ggml_context* context, gguf_context* model, const options& given, ggml_type type)
        : context_(context), model_(model), given_(given), s_(given.shape), type_(type) {}

    std::vector<planned_tensor> plan(std::vector<std::int32_t> token_types) {
        const auto e = static_cast<float>(s_.embedding);
        matrix("token_embd.weight", s_.embedding, s_.vocabulary, 1.0F);
        for (std::int64_t i = 0; i < s_.layers; ++i) {
            left_out_ = i >= given_.written_layers();
            layer("blk." + std::to_string(i) + ".", i >= given_.late_from ? given_.late_share : 1.0F);
        }
        left_out_ = false;
        norm("output_norm.weight");
        matrix("output.weight", s_.embedding, s_.vocabulary, logit_deviation / std::sqrt(e));
        planned_.back().how.empty_row = [types = std::move(token_types)](std::int64_t row) {
            return types[static_cast<std::size_t>(row)] != normal_token;
        };
        return std::move(planned_);
    }

  private:
    void layer(const std::string& prefix, float share) {
        const float in = 1.0F / std::sqrt(static_cast<float>(s_.embedding));
        // What a layer adds is small enough that all layers together add about as much as the input.
        const float depth = share / std::sqrt(2.0F * static_cast<float>(s_.layers));
        const float down = depth / std::sqrt(static_cast<float>(s_.feed_forward));
        norm(prefix + "attn_norm.weight");
        matrix(prefix + "attn_q.weight", s_.embedding, s_.embedding, in);
        matrix(prefix + "attn_k.weight", s_.embedding, s_.kv_width(), in);
        matrix(prefix + "attn_v.weight", s_.embedding, s_.kv_width(), in);
        matrix(prefix + "attn_output.weight", s_.embedding, s_.embedding, in * depth);
        norm(prefix + "ffn_norm.weight");
        if (s_.experts == 0) {
            matrix(prefix + "ffn_gate.weight", s_.embedding, s_.feed_forward, in);
            matrix(prefix + "ffn_up.weight", s_.embedding, s_.feed_forward, in);
            matrix(prefix + "ffn_down.weight", s_.feed_forward, s_.embedding, down);
            return;
        }
        add(prefix + "ffn_gate_inp.weight", ggml_new_tensor_2d(context_, GGML_TYPE_F32, s_.embedding, s_.experts),
            {0, in, {}});
        const auto experts = [&](const std::string& name, std::int64_t width, std::int64_t rows, float deviation) {
            add(prefix + name, ggml_new_tensor_3d(context_, type_, width, rows, s_.experts), {0, deviation, {}});
        };
        experts("ffn_gate_exps.weight", s_.embedding, s_.feed_forward, in);
        experts("ffn_up_exps.weight", s_.embedding, s_.feed_forward, in);
        experts("ffn_down_exps.weight", s_.feed_forward, s_.embedding, down);
    }

    void norm(const std::string& name) {
        add(name, ggml_new_tensor_1d(context_, GGML_TYPE_F32, s_.embedding), {1.0F, 0.0F, {}});
    }
    void matrix(const std::string& name, std::int64_t width, std::int64_t rows, float deviation) {
        add(name, ggml_new_tensor_2d(context_, type_, width, rows), {0.0F, deviation, {}});
    }
    void add(const std::string& name, ggml_tensor* tensor, filling how) {
        const std::uint64_t stream = streams_++;
        if (left_out_) {
            return;
        }
        ggml_set_name(tensor, name.c_str());
        gguf_add_tensor(model_, tensor);
        planned_.push_back({tensor, std::move(how), stream});
    }

    ggml_context* context_;
    gguf_context* model_;
    const options& given_;
    const model_shape& s_;
    ggml_type type_;
    bool left_out_ = false;
    std::uint64_t streams_ = 0;
    std::vector<planned_tensor> planned_;
};

void write_file(const gguf_context* model, const std::vector<planned_tensor>& tensors, const options& given) {
    const std::string part = given.out + ".part";
    file_pointer file(std::fopen(part.c_str(), "wb"), &std::fclose);
    bool good = file != nullptr;
    std::uint64_t written = 0;
    const auto write = [&](std::string_view bytes) {
        good = good && std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
        written += bytes.size();
        return good;
    };
    std::string head(gguf_get_meta_size(model), '\0');
    gguf_get_meta_data(model, head.data());
    write(head);
    for (std::size_t i = 0; good && i < tensors.size(); ++i) {
        write_weights(*tensors[i].tensor, tensors[i].how, given.seed, tensors[i].stream, write);
        const std::size_t alignment = gguf_get_alignment(model);
        write(std::string((alignment - written % alignment) % alignment, '\0'));
    }
    good = good && std::fflush(file.get()) == 0;
    file.reset();
    if (!good || std::rename(part.c_str(), given.out.c_str()) != 0) {
        std::remove(part.c_str());
        throw std::runtime_error("cannot write " + given.out + "; is there space, and may you write there?");
    }
}

ggml_type wanted_type(const std::string& name) {
    return name == "q8_0" ? GGML_TYPE_Q8_0 : name == "f16" ? GGML_TYPE_F16 : GGML_TYPE_F32;
}

void make_model(options given) {
    const gguf_pointer model = copy_tokenizer(given.like);
    const auto known = static_cast<std::int64_t>(gguf_get_arr_n(model.get(), gguf_find_key(model.get(), tokens_key)));
    given.shape.vocabulary = given.vocabulary == 0 ? known : given.vocabulary;
    if (given.shape.vocabulary < known) {
        throw std::runtime_error("--vocab must be at least " + std::to_string(known) +
                                 ", the size of the vocabulary of " + given.like);
    }
    given.shape = choose_shape(given.shape, parse_count(given.parameters));
    const ggml_type type = wanted_type(given.type);
    std::string problem = shape_problem(given.shape);
    if (problem.empty() && given.first_layers > given.shape.layers) {
        problem = "--first-layers must be at most the number of layers, " + std::to_string(given.shape.layers);
    }
    if (problem.empty() &&
        (given.shape.embedding % ggml_blck_size(type) != 0 || given.shape.feed_forward % ggml_blck_size(type) != 0)) {
        problem = "--embd and --ff must be multiples of " + std::to_string(ggml_blck_size(type)) + " for " + given.type;
    }
    if (!problem.empty()) {
        throw std::runtime_error(problem);
    }
    auto types = pad_vocabulary(model.get(), given.shape.vocabulary);
    set_hyperparameters(model.get(), given, type);
    const std::size_t tensors = static_cast<std::size_t>(given.shape.layers) * 10 + 8;
    const ggml_pointer context(ggml_init({ggml_tensor_overhead() * tensors, nullptr, true}), &ggml_free);
    const auto planned = planner(context.get(), model.get(), given, type).plan(std::move(types));
    write_file(model.get(), planned, given);
    model_shape s = given.shape;
    s.layers = given.written_layers();
    std::printf(
        "%s: %.1f M parameters, %lld layers, embedding %lld, feed-forward %lld, heads %lld/%lld, experts %lld/%lld, "
        "vocabulary %lld, %s\n",
        given.out.c_str(), static_cast<double>(s.parameters()) / 1e6, static_cast<long long>(s.layers),
        static_cast<long long>(s.embedding), static_cast<long long>(s.feed_forward), static_cast<long long>(s.heads),
        static_cast<long long>(s.kv_heads), static_cast<long long>(s.experts_used), static_cast<long long>(s.experts),
        static_cast<long long>(s.vocabulary), given.type.c_str());
}

}  // namespace
}  // namespace starling::tools

int main(int argc, char** argv) {
    using namespace starling::tools;
    options given;
    given.parameters = "120M";
    CLI::App app("Makes a GGUF model with seeded random weights and the tokenizer of another model.");
    app.add_option("--like", given.like, "GGUF file whose tokenizer and chat template to take")->required();
    app.add_option("--out", given.out, "file to write")->required();
    app.add_option("--parameters", given.parameters,
                   "about how many, like 120M or 1.5B; used for sizes that are not given")
        ->capture_default_str()
        ->check([](const std::string& text) {
            return parse_count(text) > 0 ? std::string() : "not a count like 120M: " + text;
        });
    app.add_option("--layers", given.shape.layers, "layers")->check(CLI::Range(1, 512));
    app.add_option("--first-layers", given.first_layers, "write so many of the layers, as a draft for the whole model")
        ->check(CLI::Range(1, 512));
    app.add_option("--late-from", given.late_from, "the first layer to which --late-share applies")
        ->check(CLI::Range(0, 512));
    app.add_option("--late-share", given.late_share, "of what a layer adds otherwise; small: a draft is mostly right")
        ->check(CLI::Range(0.001, 1.0))
        ->capture_default_str();
    app.add_option("--embd", given.shape.embedding, "embedding length")->check(CLI::Range(32, 65536));
    app.add_option("--ff", given.shape.feed_forward, "feed-forward length")->check(CLI::Range(32, 262144));
    app.add_option("--heads", given.shape.heads, "attention heads")->check(CLI::Range(1, 1024));
    app.add_option("--kv-heads", given.shape.kv_heads, "key-value heads")->check(CLI::Range(1, 1024));
    app.add_option("--experts", given.shape.experts, "experts of each layer; 0 for a dense model")
        ->check(CLI::Range(0, 1024));
    app.add_option("--experts-used", given.shape.experts_used, "experts that one token uses")
        ->check(CLI::Range(1, 1024));
    app.add_option("--type", given.type, "of the matrices")
        ->check(CLI::IsMember({"q8_0", "f16", "f32"}))
        ->capture_default_str();
    app.add_option("--vocab", given.vocabulary, "vocabulary size; filled up with words that no text contains")
        ->check(CLI::Range(1, 1 << 22));
    app.add_option("--seed", given.seed, "of the weights")->capture_default_str();
    app.add_option("--ctx", given.context, "context length that the file states")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    if (given.shape.experts > 0 && given.shape.experts_used == 0) {
        given.shape.experts_used = std::min<std::int64_t>(2, given.shape.experts);
    }
    try {
        make_model(given);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "synthetic_model: %s\n", e.what());
        return 1;
    }
    return 0;
}
