#include "gguf/slice.hpp"

#include "gguf/tests/gguf_builder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
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

std::vector<std::int64_t> list_of(const file_header& header, std::string_view key) {
    const value* found = header.find(key);
    const auto* list = found != nullptr ? std::get_if<array>(&found->held) : nullptr;
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        out.push_back(list->integer_at(i).value_or(-1));
    }
    return out;
}

std::int64_t number_of(const file_header& header, std::string_view key) {
    const value* found = header.find(key);
    return found != nullptr ? found->integer().value_or(-1) : -1;
}

void expect_refused(const result<slice_plan>& plan, errc code, std::string_view words) {
    ASSERT_FALSE(plan) << words;
    EXPECT_TRUE(plan.error() == code) << plan.error().message;
    EXPECT_NE(plan.error().message.find(words), std::string::npos) << plan.error().message;
}

TEST_F(slices, count_their_own_layers) {
    const file_header middle = parsed(cut(model(), {1, 3}));
    EXPECT_EQ(number_of(middle, "llama.block_count"), 2);
    EXPECT_EQ(number_of(middle, "llama.leading_dense_block_count"), 2);
    EXPECT_EQ(list_of(middle, "llama.feed_forward_length").size(), 2U);
    // As long as there are layers, but of something else.
    EXPECT_EQ(list_of(middle, "llama.rope.dimension_sections").size(), 4U);
    EXPECT_EQ(number_of(parsed(cut(model(), {3, 4})), "llama.leading_dense_block_count"), 0);
}

TEST_F(slices, cut_lists_where_the_layers_are) {
    gguf_builder out = test::tiny_hyperparameters();
    out.add_numbers<std::uint16_t>("llama.of_layers", value_type::uint16, {7, 9});
    out.add_texts("llama.names", {"a", "b"});
    test::add_tiny_tokenizer(out);
    test::add_tiny_tensors(out);
    const file_header last = parsed(cut(out.build(), {1, 2}));
    EXPECT_EQ(list_of(last, "llama.of_layers"), std::vector<std::int64_t>{9});
    const auto* names = std::get_if<array>(&last.find("llama.names")->held);
    EXPECT_EQ(names->size(), 2U);
}

TEST_F(slices, say_where_they_come_from) {
    EXPECT_FALSE(origin_of(parsed(model())));
    const auto origin = origin_of(parsed(cut(model(), {1, 3})));
    ASSERT_TRUE(origin);
    EXPECT_EQ(origin->content, content);
    EXPECT_EQ(origin->layers, (layer_range{1, 3}));
    EXPECT_EQ(origin->of_layers, 4);
    EXPECT_FALSE(origin->is_first());
    EXPECT_FALSE(origin->is_last());
}

TEST_F(slices, carry_only_the_vocabulary_that_they_need) {
    const std::string whole = model();
    const file_header first = parsed(cut(whole, {0, 2}));
    EXPECT_EQ(first.find("tokenizer.ggml.tokens"), nullptr);
    EXPECT_EQ(first.find("tokenizer.ggml.model")->text(), "none");
    EXPECT_EQ(first.vocabulary_size(), 8);
    EXPECT_EQ(first.find_tensor("token_embd.weight")->shape[1], 8U);

    const file_header middle = parsed(cut(whole, {1, 3}));
    EXPECT_EQ(middle.vocabulary_size(), 1);
    EXPECT_EQ(middle.find_tensor("token_embd.weight")->shape[1], 1U);
    EXPECT_EQ(middle.find_tensor("output.weight")->shape[1], 1U);

    const std::string last_bytes = cut(whole, {2, 4});
    const file_header last = parsed(last_bytes);
    EXPECT_EQ(last.vocabulary_size(), 8);
    EXPECT_FALSE(last.chat_template().empty());
    EXPECT_EQ(data_of(last_bytes, last, "output.weight"), data_of(whole, parsed(whole), "output.weight"));
    const std::string_view embeddings = data_of(last_bytes, last, "token_embd.weight");
    EXPECT_EQ(embeddings, std::string(embeddings.size(), '\0'));
}

TEST_F(slices, keep_embeddings_that_are_also_the_output) {
    gguf_builder out = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(out);
    test::add_tiny_tensors(out);  // without an output of its own
    std::string whole = out.build();
    const file_header before = parsed(whole);
    for (std::uint64_t i = before.data_offset; i < whole.size(); ++i) {
        whole[i] = static_cast<char>(i * 2654435761U >> 13U);
    }
    const std::string bytes = cut(whole, {1, 2});
    EXPECT_EQ(data_of(bytes, parsed(bytes), "token_embd.weight"), data_of(whole, before, "token_embd.weight"));
}

TEST_F(slices, put_little_in_the_place_of_what_is_not_used) {
    gguf_builder out = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(out);
    out.add_tensor("token_embd.weight", 1, {512, 8}).add_tensor("output.weight", 1, {512, 8});
    out.add_tensor("blk.0.attn_norm.weight", 0, {512}).add_tensor("blk.1.attn_norm.weight", 0, {512});
    const auto plan = plan_slice(parsed(out.build()), {1, 2}, "");
    ASSERT_TRUE(plan) << plan.error().message;
    const tensor_info* embeddings = plan->header.find_tensor("token_embd.weight");
    EXPECT_LT(embeddings->bytes, 8U * 512 / 4);  // f16 takes 8 KiB
    EXPECT_EQ(fetched_bytes(*plan), 8U * 512 * 2 + 512U * 4);
}

TEST_F(slices, of_slices_are_those_of_the_whole) {
    const std::string whole = model(6);
    const std::string inner = cut(whole, {1, 5});
    EXPECT_EQ(cut(inner, {2, 4}), cut(whole, {2, 4}));
    EXPECT_EQ(cut(inner, {1, 5}), inner);
    const std::string first = cut(whole, {0, 4});
    EXPECT_EQ(cut(first, {0, 2}), cut(whole, {0, 2}));
    EXPECT_EQ(cut(first, {2, 4}), cut(whole, {2, 4}));
    const std::string last = cut(whole, {3, 6});
    EXPECT_EQ(cut(last, {4, 6}), cut(whole, {4, 6}));
    expect_refused(plan_slice(parsed(inner), {0, 2}, content), errc::cannot_split, "holds 1:5 of 6");
    expect_refused(plan_slice(parsed(inner), {4, 6}, content), errc::cannot_split, "holds 1:5 of 6");
    EXPECT_FALSE(legal_cuts(parsed(inner)));
}

TEST_F(slices, refuse_what_is_not_there) {
    const file_header whole = parsed(model());
    for (const layer_range layers : {layer_range{0, 0}, {2, 2}, {3, 1}, {-1, 2}, {0, 5}, {4, 5}, {-5, -1}}) {
        expect_refused(plan_slice(whole, layers, content), errc::cannot_split, "there are no layers");
    }
    expect_refused(plan_slice(whole, {0, 1}, "abc"), errc::cannot_split, "64 hex digits");
    expect_refused(plan_slice(whole, {0, 1}, std::string(64, 'G')), errc::cannot_split, "64 hex digits");
}

TEST_F(slices, refuse_headers_that_contradict_themselves) {
    const auto with = [](auto change) {
        gguf_builder out = test::tiny_hyperparameters();
        test::add_tiny_tokenizer(out);
        test::add_tiny_tensors(out);
        change(out);
        return parsed(out.build());
    };
    expect_refused(
        plan_slice(with([](gguf_builder& b) { b.add_tensor("blk.2.attn_norm.weight", 0, {64}); }), {0, 1}, ""),
        errc::corrupt, "none of the model's 2 layers");
    for (const char* name : {"blk.", "blk.x.y", "blk.01.y", "blk.-1.y", "blk.1", "blk.99999999999.y", "blk..y"}) {
        expect_refused(plan_slice(with([&](gguf_builder& b) { b.add_tensor(name, 0, {64}); }), {0, 1}, ""),
                       errc::corrupt, "layers");
    }
    expect_refused(plan_slice(with([](gguf_builder& b) { b.add_u32("starling.slice.first_layer", 3); }), {0, 1}, ""),
                   errc::corrupt, "not of which layers");
    expect_refused(plan_slice(with([](gguf_builder& b) {
                                  b.add_u32("starling.slice.first_layer", 1)
                                      .add_u32("starling.slice.end_layer", 9)
                                      .add_u32("starling.slice.layers", 9);
                              }),
                              {1, 2}, ""),
                   errc::corrupt, "not of which layers");
    gguf_builder many;
    many.add_text("general.architecture", "llama").add_u32("llama.block_count", 4000000000U);
    expect_refused(plan_slice(parsed(many.build()), {0, 1}, ""), errc::corrupt, "block_count");
    gguf_builder mute = test::tiny_hyperparameters();
    test::add_tiny_tensors(mute);
    expect_refused(plan_slice(parsed(mute.build()), {0, 1}, ""), errc::corrupt, "vocabulary");
    gguf_builder narrow = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(narrow);
    narrow.add_tensor("token_embd.weight", 0, {64, 7});
    expect_refused(plan_slice(parsed(narrow.build()), {0, 1}, ""), errc::corrupt, "no place for each of the 8 tokens");
}

TEST_F(slices, are_read_in_chunks_and_leave_nothing_behind) {
    gguf_builder out = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(out);
    out.add_tensor("token_embd.weight", 0, {64, 8});
    out.add_tensor("blk.0.ffn_up.weight", 0, {64, 65536}).add_tensor("blk.1.ffn_up.weight", 0, {64, 8});
    const std::string whole = out.build();  // layer 0 has 16 MiB
    const auto plan = plan_slice(parsed(whole), {0, 1}, "");
    ASSERT_TRUE(plan) << plan.error().message;
    in_memory source(whole);
    const fs::path to = folder_ / "slice.gguf";
    ASSERT_TRUE(write_slice(*plan, source, to));
    EXPECT_LE(source.most, 4U << 20);

    // Stopped half-way, and a source that ends early: what was there is still there.
    const auto size = fs::file_size(to);
    std::uint64_t told = 0;
    const auto stopped = write_slice(*plan, source, to, [&](std::uint64_t done) {
        told = done;
        return done < plan->header.file_size / 2;
    });
    EXPECT_FALSE(stopped);
    EXPECT_GT(told, 0U);
    in_memory cut_off(whole.substr(0, whole.size() / 2));
    const auto failed = write_slice(*plan, cut_off, to);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error() == errc::io_failed);
    EXPECT_EQ(fs::file_size(to), size);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
    EXPECT_FALSE(write_slice(*plan, source, folder_ / "missing" / "slice.gguf"));
}

TEST_F(slices, of_files_are_the_same_as_of_bytes) {
    const std::string whole = model();
    const fs::path file = folder_ / "whole.gguf";
    std::ofstream(file, std::ios::binary) << whole;
    auto source = open_file(file);
    ASSERT_TRUE(source) << source.error().message;
    const auto header = read_header(file);
    ASSERT_TRUE(header);
    const auto plan = plan_slice(*header, {1, 4}, content);
    ASSERT_TRUE(plan);
    ASSERT_TRUE(write_slice(*plan, **source, folder_ / "from_file.gguf"));
    std::ifstream in(folder_ / "from_file.gguf", std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), cut(whole, {1, 4}));
    EXPECT_FALSE(open_file(folder_ / "missing.gguf"));
    EXPECT_FALSE(open_file(folder_));
}

TEST(seams, are_where_hidden_states_pass) {
    const file_header whole = parsed(model());
    EXPECT_EQ(seams_of(whole).value(), stage_seams{});
    const auto of = [&](layer_range layers) { return seams_of(plan_slice(whole, layers, "")->header).value(); };
    EXPECT_EQ(of({0, 1}), (stage_seams{"", "l_out-0", 64, {}}));
    EXPECT_EQ(of({1, 3}), (stage_seams{"embd", "l_out-1", 64, {}}));
    EXPECT_EQ(of({1, 4}), (stage_seams{"embd", "", 64, {}}));
}

// A header of another architecture, as its converter writes it.
file_header of_architecture(const std::string& name, std::uint32_t layers,
                            const std::vector<std::pair<std::string, std::uint32_t>>& numbers) {
    gguf_builder out;
    out.add_text("general.architecture", name)
        .add_u32(name + ".block_count", layers)
        .add_u32(name + ".embedding_length", 64)
        .add_u32(name + ".attention.head_count", 4)
        .add_u32(name + ".vocab_size", 8);
    for (const auto& [key, number] : numbers) {
        out.add_u32(name + "." + key, number);
    }
    return parsed(out.build());
}

TEST(cuts, of_models_with_windows_leave_each_stage_both_kinds) {
    const file_header gemma = of_architecture("gemma3", 12, {{"attention.sliding_window", 32}});
    EXPECT_EQ(legal_cuts(gemma).value(), (std::vector<std::int32_t>{6, 7, 8, 9, 10}));
    EXPECT_TRUE(check_stage(gemma, {4, 7}));
    EXPECT_FALSE(check_stage(gemma, {6, 11}));  // layers 5 and 11 have none
    const auto plan = plan_slice(gemma, {4, 12}, "");
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(list_of(plan->header, "gemma3.attention.sliding_window_pattern"),
              (std::vector<std::int64_t>{1, 0, 1, 1, 1, 1, 1, 0}));
    EXPECT_EQ(legal_cuts(of_architecture("gemma3", 4, {})).value().size(), 3U);
}

TEST(cuts, of_recurrent_models_leave_each_stage_both_kinds) {
    const file_header qwen = of_architecture("qwen35", 8, {});
    EXPECT_EQ(legal_cuts(qwen).value(), (std::vector<std::int32_t>{4, 5, 6}));
    EXPECT_EQ(list_of(plan_slice(qwen, {5, 8}, "")->header, "qwen35.attention.recurrent_layers"),
              (std::vector<std::int64_t>{1, 1, 0}));
}

TEST(cuts, keep_what_depends_on_the_number_of_a_layer) {
    EXPECT_EQ(legal_cuts(of_architecture("smollm3", 12, {})).value(), (std::vector<std::int32_t>{4, 8}));
    EXPECT_EQ(legal_cuts(of_architecture("ernie4_5-moe", 6, {{"interleave_moe_layer_step", 2}})).value(),
              (std::vector<std::int32_t>{2, 4}));
}

TEST(cuts, leave_layers_that_predict_with_the_last_stage) {
    const file_header glm = of_architecture("glm4moe", 5, {{"nextn_predict_layers", 2}});
    EXPECT_EQ(legal_cuts(glm).value(), (std::vector<std::int32_t>{1, 2}));
    EXPECT_EQ(number_of(plan_slice(glm, {0, 2}, "")->header, "glm4moe.nextn_predict_layers"), 0);
    EXPECT_EQ(number_of(plan_slice(glm, {2, 5}, "")->header, "glm4moe.nextn_predict_layers"), 2);
}

TEST(cuts, know_models_that_llama_cpp_knows_by_their_number_of_layers) {
    EXPECT_TRUE(legal_cuts(of_architecture("command-r", 40, {})));
    EXPECT_FALSE(legal_cuts(of_architecture("command-r", 64, {})));
    EXPECT_FALSE(legal_cuts(of_architecture("exaone4", 64, {})));
    // No stage of DeepSeek V3 may be taken for V2 Lite, and what is derived for V2 Lite is written down.
    const file_header large = of_architecture("deepseek2", 61, {});
    EXPECT_FALSE(check_stage(large, {0, 27}));
    EXPECT_TRUE(check_stage(large, {0, 28}));
    const file_header lite = of_architecture("deepseek2", 27, {});
    const auto plan = plan_slice(lite, {0, 13}, "");
    ASSERT_TRUE(plan);
    EXPECT_EQ(number_of(plan->header, "deepseek2.attention.q_lora_rank"), 0);
    EXPECT_EQ(number_of(plan->header, "deepseek2.expert_gating_func"), 1);
    // Gemma 3 27B scales its queries by another length than the stages would.
    const auto seams = seams_of(plan_slice(of_architecture("gemma3", 62, {}), {0, 30}, "")->header);
    ASSERT_EQ(seams.value().factors.size(), 1U);
    EXPECT_EQ(seams.value().factors[0].by, 0.25F);
}

TEST(cuts, are_refused_with_the_architecture_and_the_reason) {
    const auto refused = legal_cuts(of_architecture("talkie", 8, {}));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::cannot_split);
    EXPECT_NE(refused.error().message.find("'talkie'"), std::string::npos);
    EXPECT_NE(refused.error().message.find("embeddings"), std::string::npos);
    EXPECT_FALSE(legal_cuts(of_architecture("something-new", 8, {})));
}

}  // namespace
}  // namespace starling::gguf
