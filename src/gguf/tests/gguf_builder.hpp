// Writes GGUF files for tests, right ones and wrong ones.
#pragma once

#include "gguf/types.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace starling::test {

class gguf_builder {
  public:
    std::uint32_t version = 3;
    std::string magic = "GGUF";
    std::uint64_t alignment = 32;  // of the layout; add_u32("general.alignment", …) says it

    template <class T>
    gguf_builder& add(std::string_view key, gguf::value_type type, T number) {
        begin(key, type);
        put(metadata_, number);
        return *this;
    }
    gguf_builder& add_u32(std::string_view key, std::uint32_t n) { return add(key, gguf::value_type::uint32, n); }
    gguf_builder& add_f32(std::string_view key, float n) { return add(key, gguf::value_type::float32, n); }
    gguf_builder& add_bool(std::string_view key, bool n) {
        return add(key, gguf::value_type::boolean, static_cast<std::uint8_t>(n));
    }
    gguf_builder& add_text(std::string_view key, std::string_view text) {
        begin(key, gguf::value_type::string);
        put_string(metadata_, text);
        return *this;
    }
    gguf_builder& add_texts(std::string_view key, const std::vector<std::string>& texts) {
        begin(key, gguf::value_type::array);
        put(metadata_, static_cast<std::uint32_t>(gguf::value_type::string));
        put(metadata_, static_cast<std::uint64_t>(texts.size()));
        for (const std::string& text : texts) {
            put_string(metadata_, text);
        }
        return *this;
    }
    template <class T>
    gguf_builder& add_numbers(std::string_view key, gguf::value_type type, const std::vector<T>& numbers) {
        begin(key, gguf::value_type::array);
        put(metadata_, static_cast<std::uint32_t>(type));
        put(metadata_, static_cast<std::uint64_t>(numbers.size()));
        for (const T number : numbers) {
            put(metadata_, number);
        }
        return *this;
    }
    /// A key, a type number and raw bytes after it.
    gguf_builder& add_raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
        begin(key, static_cast<gguf::value_type>(type));
        metadata_ += bytes;
        return *this;
    }

    /// A tensor with its data (zeros) at the place where it belongs.
    gguf_builder& add_tensor(std::string_view name, gguf::tensor_type type, const std::vector<std::uint64_t>& shape) {
        const auto info = gguf::find_tensor_type(type);
        std::uint64_t elements = 1;
        for (const std::uint64_t n : shape) {
            elements *= n;
        }
        add_tensor_entry(name, type, shape, data_.size());
        data_.resize(data_.size() + elements / info->block_elements * info->block_bytes);
        data_.resize((data_.size() + alignment - 1) / alignment * alignment);
        return *this;
    }
    /// Only the entry, with any numbers.
    gguf_builder& add_tensor_entry(std::string_view name, gguf::tensor_type type,
                                   const std::vector<std::uint64_t>& shape, std::uint64_t offset) {
        put_string(tensors_, name);
        put(tensors_, static_cast<std::uint32_t>(shape.size()));
        for (const std::uint64_t n : shape) {
            put(tensors_, n);
        }
        put(tensors_, type);
        put(tensors_, offset);
        ++tensor_count;
        return *this;
    }

    std::string build() const {
        std::string out = magic;
        put(out, version);
        put(out, tensor_count);
        put(out, metadata_count);
        out += metadata_;
        out += tensors_;
        if (tensor_count > 0) {
            out.resize((out.size() + alignment - 1) / alignment * alignment);
        }
        return out + data_;
    }

    std::uint64_t tensor_count = 0;  // what the file claims
    std::uint64_t metadata_count = 0;

    template <class T>
    static void put(std::string& out, T number) {
        static_assert(std::endian::native == std::endian::little);
        char bytes[sizeof(T)];
        std::memcpy(bytes, &number, sizeof(T));
        out.append(bytes, sizeof(T));
    }
    static void put_string(std::string& out, std::string_view text) {
        put(out, static_cast<std::uint64_t>(text.size()));
        out += text;
    }

  private:
    void begin(std::string_view key, gguf::value_type type) {
        put_string(metadata_, key);
        put(metadata_, static_cast<std::uint32_t>(type));
        ++metadata_count;
    }

    std::string metadata_;
    std::string tensors_;
    std::string data_;
};

/// The metadata of a small llama model that llama.cpp would load, without tokenizer and tensors.
inline gguf_builder tiny_hyperparameters() {
    gguf_builder out;
    out.add_text("general.architecture", "llama")
        .add_text("general.name", "Tiny")
        .add_u32("llama.block_count", 2)
        .add_u32("llama.context_length", 128)
        .add_u32("llama.embedding_length", 64)
        .add_u32("llama.feed_forward_length", 96)
        .add_u32("llama.attention.head_count", 4)
        .add_u32("llama.attention.head_count_kv", 2)
        .add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5F)
        .add_u32("llama.rope.dimension_count", 16);
    return out;
}

inline std::vector<std::string> tiny_tokens() {
    return {"<unk>", "<s>", "</s>", "a", "b", "c", "d", "e"};
}

inline gguf_builder& add_tiny_tokenizer(gguf_builder& out) {
    return out.add_text("tokenizer.ggml.model", "llama")
        .add_texts("tokenizer.ggml.tokens", tiny_tokens())
        .add_numbers<float>("tokenizer.ggml.scores", gguf::value_type::float32, {0, 0, 0, -1, -2, -3, -4, -5})
        .add_numbers<std::int32_t>("tokenizer.ggml.token_type", gguf::value_type::int32, {2, 3, 3, 1, 1, 1, 1, 1})
        .add_u32("tokenizer.ggml.bos_token_id", 1)
        .add_u32("tokenizer.ggml.eos_token_id", 2)
        .add_text("tokenizer.chat_template", "{{ messages[0].content }}");
}

inline gguf_builder& add_tiny_tensors(gguf_builder& out) {
    constexpr gguf::tensor_type f32 = 0;
    constexpr gguf::tensor_type q8_0 = 8;
    out.add_tensor("token_embd.weight", q8_0, {64, 8}).add_tensor("output_norm.weight", f32, {64});
    for (const char* layer : {"blk.0.", "blk.1."}) {
        const std::string prefix = layer;
        out.add_tensor(prefix + "attn_norm.weight", f32, {64})
            .add_tensor(prefix + "attn_q.weight", q8_0, {64, 64})
            .add_tensor(prefix + "attn_k.weight", q8_0, {64, 32})
            .add_tensor(prefix + "attn_v.weight", q8_0, {64, 32})
            .add_tensor(prefix + "attn_output.weight", q8_0, {64, 64})
            .add_tensor(prefix + "ffn_norm.weight", f32, {64})
            .add_tensor(prefix + "ffn_gate.weight", q8_0, {64, 96})
            .add_tensor(prefix + "ffn_up.weight", q8_0, {64, 96})
            .add_tensor(prefix + "ffn_down.weight", q8_0, {96, 64});
    }
    return out;
}

/// A whole small model.
inline std::string tiny_model() {
    gguf_builder out = tiny_hyperparameters();
    add_tiny_tokenizer(out);
    add_tiny_tensors(out);
    return out.build();
}

}  // namespace starling::test
