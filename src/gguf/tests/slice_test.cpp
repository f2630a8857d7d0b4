#include "gguf/slice.hpp"

#include "gguf/tests/gguf_builder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace starling::gguf {
namespace {

namespace fs = std::filesystem;
using test::gguf_builder;

const std::string content(64, 'a');

class in_memory final : public range_source {
  public:
    explicit in_memory(std::string bytes) : bytes_(std::move(bytes)) {}

    result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        if (offset > bytes_.size() || into.size() > bytes_.size() - offset) {
            return fail(errc::io_failed, "beyond the end");
        }
        std::memcpy(into.data(), bytes_.data() + offset, into.size());
        most = std::max(most, into.size());
        read_bytes += into.size();
        return {};
    }

    std::size_t most = 0;  // of one read
    std::uint64_t read_bytes = 0;

  private:
    std::string bytes_;
};

file_header parsed(const std::string& bytes) {
    auto header = parse_header(std::as_bytes(std::span(bytes)), bytes.size());
    EXPECT_TRUE(header) << header.error().message;
    return header ? std::move(*header) : file_header{};
}

// A small model whose bytes all differ from their neighbours.
std::string model(std::uint32_t layers = 4) {
    gguf_builder out;
    out.add_text("general.architecture", "llama")
        .add_text("general.name", "Tiny")
        .add_u32("llama.block_count", layers)
        .add_u32("llama.context_length", 128)
        .add_u32("llama.embedding_length", 64)
        .add_u32("llama.leading_dense_block_count", 3)
        .add_numbers<std::uint32_t>("llama.feed_forward_length", value_type::uint32,
                                    std::vector<std::uint32_t>(layers, 96))
        .add_u32("llama.attention.head_count", 4)
        .add_u32("llama.attention.head_count_kv", 2)
        .add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5F)
        .add_u32("llama.rope.dimension_count", 16)
        .add_numbers<std::int32_t>("llama.rope.dimension_sections", value_type::int32, {4, 4, 0, 0});
    test::add_tiny_tokenizer(out);
    out.add_tensor("token_embd.weight", 8, {64, 8}).add_tensor("output_norm.weight", 0, {64});
    out.add_tensor("output.weight", 8, {64, 8});
    for (std::uint32_t i = 0; i < layers; ++i) {
        const std::string prefix = "blk." + std::to_string(i) + ".";
        out.add_tensor(prefix + "attn_norm.weight", 0, {64})
            .add_tensor(prefix + "attn_q.weight", 8, {64, 64})
            .add_tensor(prefix + "attn_k.weight", 8, {64, 32})
            .add_tensor(prefix + "attn_v.weight", 8, {64, 32})
            .add_tensor(prefix + "attn_output.weight", 8, {64, 64});
    }
    std::string bytes = out.build();
    const file_header header = parsed(bytes);
    for (std::uint64_t i = header.data_offset; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(i * 2654435761U >> 13U);
    }
    return bytes;
}

class slices : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("starling-slice-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string cut(const std::string& whole, layer_range layers) {
        const auto plan = plan_slice(parsed(whole), layers, content);
        EXPECT_TRUE(plan) << plan.error().message;
        if (!plan) {
            return {};
        }
        in_memory source(whole);
        const auto written = write_slice(*plan, source, folder_ / "slice.gguf");
        EXPECT_TRUE(written) << written.error().message;
        EXPECT_EQ(source.read_bytes, fetched_bytes(*plan));
        std::ifstream in(folder_ / "slice.gguf", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    fs::path folder_;
};

std::string_view data_of(const std::string& bytes, const file_header& header, std::string_view tensor) {
    const tensor_info* found = header.find_tensor(tensor);
    EXPECT_NE(found, nullptr) << tensor;
    return found == nullptr ? std::string_view()
                            : std::string_view(bytes).substr(header.data_offset + found->offset, found->bytes);
}

TEST_F(slices, hold_their_layers_byte_for_byte) {
    const std::string whole = model();
    const file_header before = parsed(whole);
    for (const layer_range layers : {layer_range{0, 1}, {0, 4}, {1, 3}, {2, 4}}) {
        const std::string bytes = cut(whole, layers);
        const file_header after = parsed(bytes);
        EXPECT_EQ(after.layers(), layers.size());
        EXPECT_EQ(after.file_size, bytes.size());
        EXPECT_EQ(after.find_tensor("blk." + std::to_string(layers.size()) + ".attn_q.weight"), nullptr);
        for (std::int32_t i = 0; i < layers.size(); ++i) {
            for (const char* name : {".attn_norm.weight", ".attn_q.weight", ".attn_output.weight"}) {
                EXPECT_EQ(data_of(bytes, after, "blk." + std::to_string(i) + name),
                          data_of(whole, before, "blk." + std::to_string(layers.first + i) + name));
            }
        }
        EXPECT_EQ(data_of(bytes, after, "output_norm.weight"), data_of(whole, before, "output_norm.weight"));
        EXPECT_TRUE(check_model(after)) << check_model(after).error().message;
    }
}

}  // namespace
}  // namespace starling::gguf
