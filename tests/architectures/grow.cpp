#include "grow.hpp"

#include <ggml-backend.h>
#include <ggml.h>
#include <gguf.h>
#include <llama.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace starling::architectures {

namespace {

struct delete_gguf {
    void operator()(gguf_context* g) const { gguf_free(g); }
};
using gguf_pointer = std::unique_ptr<gguf_context, delete_gguf>;

[[noreturn]] void give_up(const char* what, const std::filesystem::path& where) {
    std::fprintf(stderr, "%s: %s\n", where.c_str(), what);
    std::exit(1);
}

gguf_pointer read_metadata(const std::filesystem::path& path) {
    gguf_pointer out(gguf_init_from_file(path.c_str(), {true, nullptr}));
    if (!out) {
        give_up("cannot be read", path);
    }
    return out;
}

// Numbers between -1 and 1 that depend on the tensor's name and the place alone.
class weights {
  public:
    explicit weights(std::string_view name) {
        for (const char c : name) {
            state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
        }
    }
    float next() {
        state_ += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = (state_ ^ (state_ >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return static_cast<float>(static_cast<std::int32_t>(z >> 32U)) * 0x1p-31F;
    }

  private:
    std::uint64_t state_ = 0xCBF29CE484222325ULL;
};

void fill(ggml_tensor* tensor, void*) {
    const std::string_view name = tensor->name;
    const auto count = static_cast<std::size_t>(ggml_nelements(tensor));
    if (tensor->type == GGML_TYPE_I32) {
        const std::vector<std::int32_t> zeros(count, 0);
        ggml_backend_tensor_set(tensor, zeros.data(), 0, count * sizeof(std::int32_t));
        return;
    }
    weights source(name);
    const bool norm = name.find("norm") != std::string_view::npos;
    const bool decay = name.find("ssm_a") != std::string_view::npos;  // a state that grows would overflow
    std::vector<float> numbers(count);
    for (float& n : numbers) {
        n = source.next() * 0.17F;
        n = norm ? 1.0F + n : decay ? -std::fabs(n) : n;
    }
    if (tensor->type == GGML_TYPE_F32) {
        ggml_backend_tensor_set(tensor, numbers.data(), 0, count * sizeof(float));
        return;
    }
    if (tensor->type != GGML_TYPE_F16) {
        give_up("a tensor has an unexpected type", std::string(name));
    }
    std::vector<ggml_fp16_t> halves(count);
    ggml_fp32_to_fp16_row(numbers.data(), halves.data(), static_cast<std::int64_t>(count));
    ggml_backend_tensor_set(tensor, halves.data(), 0, count * sizeof(ggml_fp16_t));
}

std::size_t element_bytes(gguf_type type) {
    switch (type) {
        case GGUF_TYPE_BOOL:
        case GGUF_TYPE_INT8:
        case GGUF_TYPE_UINT8: return 1;
        case GGUF_TYPE_INT16:
        case GGUF_TYPE_UINT16: return 2;
        case GGUF_TYPE_FLOAT64:
        case GGUF_TYPE_INT64:
        case GGUF_TYPE_UINT64: return 8;
        default: return 4;
    }
}

// Lists of one entry for each layer repeat what they have for the layers that are there.
gguf_pointer stretch(const gguf_context* from, std::int32_t layers) {
    gguf_pointer out(gguf_init_empty());
    gguf_set_kv(out.get(), from);
    const std::string prefix = std::string(gguf_get_val_str(from, gguf_find_key(from, "general.architecture"))) + ".";
    const std::string count_key = prefix + "block_count";
    const std::size_t had = gguf_get_val_u32(from, gguf_find_key(from, count_key.c_str()));
    gguf_set_val_u32(out.get(), count_key.c_str(), static_cast<std::uint32_t>(layers));
    for (std::int64_t i = 0; i < gguf_get_n_kv(from); ++i) {
        const std::string key = gguf_get_key(from, i);
        if (!key.starts_with(prefix) || gguf_get_kv_type(from, i) != GGUF_TYPE_ARRAY ||
            key.ends_with("dimension_sections") || gguf_get_arr_type(from, i) == GGUF_TYPE_STRING ||
            gguf_get_arr_n(from, i) != had) {
            continue;
        }
        const std::size_t width = element_bytes(gguf_get_arr_type(from, i));
        std::vector<char> bytes(static_cast<std::size_t>(layers) * width);
        for (std::size_t layer = 0; layer < static_cast<std::size_t>(layers); ++layer) {
            std::memcpy(bytes.data() + layer * width,
                        static_cast<const char*>(gguf_get_arr_data(from, i)) + layer % had * width, width);
        }
        gguf_set_arr_data(out.get(), key.c_str(), gguf_get_arr_type(from, i), bytes.data(),
                          static_cast<std::size_t>(layers));
    }
    return out;
}

}  // namespace

void grow(const std::filesystem::path& from, const std::filesystem::path& to, shape wanted) {
    const gguf_pointer small = read_metadata(from);
    const gguf_pointer metadata = stretch(small.get(), wanted.layers);
    const std::string prefix =
        std::string(gguf_get_val_str(small.get(), gguf_find_key(small.get(), "general.architecture"))) + ".";
    if (wanted.lists == layer_lists::left_out) {
        for (const char* suffix : {"attention.sliding_window_pattern", "attention.recurrent_layers"}) {
            gguf_remove_key(metadata.get(), (prefix + suffix).c_str());
        }
    }
    if (wanted.head_length != 0) {
        for (const char* suffix : {"attention.key_length", "attention.value_length", "attention.key_length_swa",
                                   "attention.value_length_swa", "rope.dimension_count", "rope.dimension_count_swa"}) {
            gguf_set_val_u32(metadata.get(), (prefix + suffix).c_str(), static_cast<std::uint32_t>(wanted.head_length));
        }
    }
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    const std::unique_ptr<llama_model, void (*)(llama_model*)> model(
        llama_model_init_from_user(metadata.get(), fill, nullptr, params), llama_model_free);
    if (!model) {
        give_up("llama.cpp makes no model of it", from);
    }
    llama_model_save_to_file(model.get(), to.c_str());
}

void make_last_layer_predict(const std::filesystem::path& from, const std::filesystem::path& to) {
    ggml_context* read = nullptr;
    const gguf_pointer had(gguf_init_from_file(from.c_str(), {false, &read}));
    const std::unique_ptr<ggml_context, void (*)(ggml_context*)> data(read, ggml_free);
    if (!had || !data) {
        give_up("cannot be read", from);
    }
    const std::string prefix =
        std::string(gguf_get_val_str(had.get(), gguf_find_key(had.get(), "general.architecture"))) + ".";
    const auto number = [&](const char* suffix) {
        return gguf_get_val_u32(had.get(), gguf_find_key(had.get(), (prefix + suffix).c_str()));
    };
    const std::string last = "blk." + std::to_string(number("block_count") - 1) + ".";
    const gguf_pointer out(gguf_init_empty());
    gguf_set_kv(out.get(), had.get());
    gguf_set_val_u32(out.get(), (prefix + "nextn_predict_layers").c_str(), 1);
    for (std::int64_t i = 0; i < gguf_get_n_tensors(had.get()); ++i) {
        const std::string name = gguf_get_tensor_name(had.get(), i);
        // Those layers have none of the biases and scales that the small models have everywhere.
        if (!name.starts_with(last) || name.find(".weight") != std::string::npos) {
            gguf_add_tensor(out.get(), ggml_get_tensor(data.get(), name.c_str()));
        }
    }
    const std::int64_t width = number("embedding_length");
    const std::unique_ptr<ggml_context, void (*)(ggml_context*)> added(
        ggml_init({static_cast<std::size_t>(16 * width * width) + (1U << 20U), nullptr, false}), ggml_free);
    const auto add = [&](const char* name, ggml_tensor* tensor) {
        std::memset(tensor->data, 0, ggml_nbytes(tensor));
        ggml_set_name(tensor, (last + "nextn." + name + ".weight").c_str());
        gguf_add_tensor(out.get(), tensor);
    };
    add("eh_proj", ggml_new_tensor_2d(added.get(), GGML_TYPE_F32, 2 * width, width));
    add("enorm", ggml_new_tensor_1d(added.get(), GGML_TYPE_F32, width));
    add("hnorm", ggml_new_tensor_1d(added.get(), GGML_TYPE_F32, width));
    if (!gguf_write_to_file(out.get(), to.c_str(), false)) {
        give_up("cannot be written", to);
    }
}

}  // namespace starling::architectures
