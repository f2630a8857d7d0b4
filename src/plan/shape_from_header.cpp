#include "plan/shape_from_header.hpp"

#include "plan/problem.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace starling::plan {

namespace {

constexpr std::uint64_t f16_bytes = 2;
constexpr std::uint64_t f32_bytes = 4;
/// llama.cpp keeps a vocabulary as text, twice, and in maps beside it.
constexpr std::uint64_t vocabulary_factor = 4;

std::uint64_t positive(std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
}

std::uint64_t number_of(const gguf::file_header& header, std::string_view suffix) {
    const gguf::value* found = header.find_for_architecture(suffix);
    return found == nullptr ? 0 : positive(found->integer().value_or(0));
}

struct layer_tensor {
    std::size_t layer = 0;
    std::string_view rest;  // of the name, after "blk.N."
};

std::optional<layer_tensor> layer_of(std::string_view name) {
    constexpr std::string_view prefix = "blk.";
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    layer_tensor out;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), out.layer);
    if (read.ec != std::errc() || read.ptr == name.data() + name.size() || *read.ptr != '.') {
        return std::nullopt;
    }
    out.rest = name.substr(static_cast<std::size_t>(read.ptr - name.data()) + 1);
    return out;
}

/// What a recurrent layer keeps for each sequence, as llama.cpp's hyperparameters have it.
std::uint64_t state_bytes(const gguf::file_header& header) {
    const std::uint64_t width = positive(header.embedding_length());
    if (const std::uint64_t head = number_of(header, "wkv.head_size"); head > 0) {
        return multiply_saturated(f32_bytes, multiply_saturated(width, add_saturated(head, 2)));
    }
    const std::uint64_t inner = number_of(header, "ssm.inner_size");
    const std::uint64_t state = number_of(header, "ssm.state_size");
    const std::uint64_t groups = multiply_saturated(2 * number_of(header, "ssm.group_count"), state);
    const std::uint64_t kernel = std::max<std::uint64_t>(number_of(header, "ssm.conv_kernel"), 1) - 1;
    return multiply_saturated(f32_bytes, add_saturated(multiply_saturated(kernel, add_saturated(inner, groups)),
                                                       multiply_saturated(state, inner)));
}

bool is_first_only(std::string_view name) {
    return name.starts_with("token_embd") || name.starts_with("position_embd") || name.starts_with("token_types");
}

bool is_last_only(std::string_view name) {
    return name.starts_with("output");
}

class shape_reader {
  public:
    shape_reader(const gguf::file_header& header, model_shape& out) : header_(header), out_(out) {
        const std::uint64_t experts = positive(header.experts());
        const std::uint64_t used = number_of(header, "expert_used_count");
        expert_share_ =
            experts > 0 && used > 0 && used < experts ? static_cast<double>(used) / static_cast<double>(experts) : 1.0;
    }

    void read() {
        for (const gguf::tensor_info& tensor : header_.tensors) {
            if (const auto in = layer_of(tensor.name); in && in->layer < out_.layers.size()) {
                add_to_layer(*in, tensor.bytes);
            } else if (is_first_only(tensor.name)) {
                out_.first_bytes += tensor.bytes;
            } else if (is_last_only(tensor.name)) {
                out_.last_bytes += tensor.bytes;
            } else {
                out_.every_bytes += tensor.bytes;
            }
        }
        const gguf::tensor_info* embedding = header_.find_tensor("token_embd.weight");
        if (header_.find_tensor("output.weight") == nullptr && embedding != nullptr) {
            out_.last_bytes += embedding->bytes;
            out_.shared_bytes = embedding->bytes;
        }
    }

  private:
    void add_to_layer(const layer_tensor& in, std::uint64_t bytes) {
        layer_shape& layer = out_.layers[in.layer];
        layer.weight_bytes += bytes;
        const bool of_experts = in.rest.find("_exps") != std::string_view::npos;
        layer.read_bytes += of_experts ? static_cast<std::uint64_t>(static_cast<double>(bytes) * expert_share_) : bytes;
        if (in.rest.starts_with("attn_k") || in.rest.starts_with("attn_qkv")) {
            const auto heads = positive(header_.kv_heads(static_cast<std::int64_t>(in.layer)));
            const auto length = add_saturated(positive(header_.key_length()), positive(header_.value_length()));
            layer.kv_bytes_per_position = multiply_saturated(multiply_saturated(heads, length), f16_bytes);
        }
        if (in.rest.starts_with("ssm_") || in.rest.starts_with("time_mix_")) {
            layer.state_bytes_per_sequence = state_bytes(header_);
        }
    }

    const gguf::file_header& header_;
    model_shape& out_;
    double expert_share_ = 1.0;
};

}  // namespace

model_shape shape_from_header(const gguf::file_header& header, std::vector<std::int32_t> cuts,
                              const compute_bytes& compute, std::int32_t bytes_per_activation) {
    model_shape out;
    out.name = std::string(header.name().empty() ? header.architecture() : header.name());
    // One more than a plan takes is refused like any larger number, and takes no memory here.
    out.layers.resize(std::min<std::uint64_t>(positive(header.layers()), max_layers + 1));
    out.compute = compute;
    out.cuts = std::move(cuts);
    out.embedding_length =
        static_cast<std::int32_t>(std::min<std::uint64_t>(positive(header.embedding_length()), 1U << 30));
    out.bytes_per_activation = bytes_per_activation;
    out.vocabulary_bytes = multiply_saturated(header.header_bytes, vocabulary_factor);
    shape_reader(header, out).read();
    return out;
}

}  // namespace starling::plan
