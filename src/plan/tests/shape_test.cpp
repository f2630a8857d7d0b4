#include "gguf/tests/gguf_builder.hpp"
#include "plan/plan.hpp"
#include "plan/shape_from_header.hpp"
#include "repository_paths.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>

namespace starling::plan {
namespace {

constexpr gguf::tensor_type f32 = 0;

gguf::file_header header_of(const test::gguf_builder& from) {
    const std::string bytes = from.build();
    auto header = gguf::parse_header(std::as_bytes(std::span(bytes)), bytes.size());
    EXPECT_TRUE(header) << header.error().message;
    return *header;
}

test::gguf_builder two_layers() {
    auto out = test::tiny_hyperparameters();  // 4 heads of 16, 2 of them with keys and values
    out.add_u32("llama.expert_count", 4).add_u32("llama.expert_used_count", 1);
    out.add_tensor("token_embd.weight", f32, {64, 10})
        .add_tensor("rope_freqs.weight", f32, {8})
        .add_tensor("output_norm.weight", f32, {64})
        .add_tensor("blk.0.attn_k.weight", f32, {64, 32})
        .add_tensor("blk.0.ffn_up.weight", f32, {64, 96})
        .add_tensor("blk.1.ssm_in.weight", f32, {64, 64})
        .add_tensor("blk.1.ffn_up_exps.weight", f32, {64, 96, 4});
    return out;
}

TEST(shape_from_header, each_tensor_is_counted_where_it_is_needed) {
    auto builder = two_layers();
    builder.add_tensor("output.weight", f32, {64, 10});
    const auto shape = shape_from_header(header_of(builder), {1}, {.first = 1, .middle = 2, .last = 3, .whole = 4});
    EXPECT_EQ(shape.name, "Tiny");
    EXPECT_EQ(shape.embedding_length, 64);
    EXPECT_EQ(shape.cuts, std::vector<std::int32_t>{1});
    EXPECT_EQ(shape.compute.last, 3U);
    EXPECT_EQ(shape.first_bytes, 64U * 10 * 4);
    EXPECT_EQ(shape.last_bytes, 64U * 10 * 4 + 64 * 4);
    EXPECT_EQ(shape.shared_bytes, 0U);
    EXPECT_EQ(shape.every_bytes, 8U * 4);
    ASSERT_EQ(shape.layers.size(), 2U);
    EXPECT_EQ(shape.layers[0].weight_bytes, 64U * (32 + 96) * 4);
    EXPECT_EQ(shape.layers[0].read_bytes, shape.layers[0].weight_bytes);
    EXPECT_EQ(shape.layers[0].kv_bytes_per_position, 2U * (16 + 16) * 2);
    EXPECT_EQ(shape.layers[0].state_bytes_per_sequence, 0U);
}

TEST(shape_from_header, of_experts_a_token_reads_those_that_are_used) {
    const auto shape = shape_from_header(header_of(two_layers()), {}, {});
    EXPECT_EQ(shape.layers[1].weight_bytes, 64U * 64 * 4 + 64 * 96 * 4 * 4);
    EXPECT_EQ(shape.layers[1].read_bytes, 64U * 64 * 4 + 64 * 96 * 4);
}

TEST(shape_from_header, a_recurrent_layer_has_a_state_and_no_keys) {
    auto builder = two_layers();
    builder.add_u32("llama.ssm.inner_size", 128)
        .add_u32("llama.ssm.state_size", 16)
        .add_u32("llama.ssm.conv_kernel", 4);
    const auto shape = shape_from_header(header_of(builder), {}, {});
    EXPECT_EQ(shape.layers[1].kv_bytes_per_position, 0U);
    EXPECT_EQ(shape.layers[1].state_bytes_per_sequence, 4U * (3 * 128 + 16 * 128));
}

TEST(shape_from_header, without_an_output_head_the_embedding_is_both) {
    const auto shape = shape_from_header(header_of(two_layers()), {}, {});
    EXPECT_EQ(shape.shared_bytes, 64U * 10 * 4);
    EXPECT_EQ(shape.last_bytes, 64U * 10 * 4 + 64 * 4);
}

TEST(shape_from_header, the_starter_is_counted_to_the_last_byte) {
    const auto header = gguf::read_header(std::string(STARLING_MODELS_DIR) + "/starter.gguf");
    ASSERT_TRUE(header) << header.error().message;
    const auto shape = shape_from_header(*header, {}, {});
    ASSERT_EQ(shape.layers.size(), static_cast<std::size_t>(header->layers()));
    const auto whole = memory_of(shape, {0, static_cast<std::int32_t>(shape.layers.size())}, {});
    EXPECT_EQ(whole.weight_bytes, header->tensor_bytes() + shape.vocabulary_bytes);
    EXPECT_GT(whole.kv_bytes, 0U);
    for (const layer_shape& layer : shape.layers) {
        EXPECT_GT(layer.weight_bytes, 0U);
    }
}

}  // namespace
}  // namespace starling::plan
