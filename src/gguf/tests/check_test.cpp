#include "gguf/gguf.hpp"
#include "repository_paths.hpp"

#include "base/random.hpp"
#include "gguf/tests/gguf_builder.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace starling::gguf {
namespace {

using test::gguf_builder;

result<void> check(const std::string& bytes) {
    const auto header = parse_header(std::as_bytes(std::span(bytes)), bytes.size());
    return header ? check_model(*header) : result<void>(header.error());
}

void expect_refused(const std::string& bytes, std::string_view words) {
    const auto got = check(bytes);
    ASSERT_FALSE(got) << words;
    EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
}

struct override_entry {
    std::string key;
    std::function<void(gguf_builder&)> add;
};

// The tiny model's entries, by key, so that a test can replace, leave out or add some.
std::string model_with(const std::vector<override_entry>& changes) {
    using list = std::vector<override_entry>;
    const auto u32 = [](std::string key, std::uint32_t n) {
        return override_entry{key, [=](gguf_builder& b) { b.add_u32(key, n); }};
    };
    const auto text = [](std::string key, std::string t) {
        return override_entry{key, [=](gguf_builder& b) { b.add_text(key, t); }};
    };
    list entries{
        text("general.architecture", "llama"),
        u32("llama.block_count", 2),
        u32("llama.context_length", 128),
        u32("llama.embedding_length", 64),
        u32("llama.feed_forward_length", 96),
        u32("llama.attention.head_count", 4),
        u32("llama.attention.head_count_kv", 2),
        {"llama.attention.layer_norm_rms_epsilon",
         [](gguf_builder& b) { b.add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5F); }},
        u32("llama.rope.dimension_count", 16),
        text("tokenizer.ggml.model", "llama"),
        {"tokenizer.ggml.tokens", [](gguf_builder& b) { b.add_texts("tokenizer.ggml.tokens", test::tiny_tokens()); }},
        u32("tokenizer.ggml.bos_token_id", 1),
        u32("tokenizer.ggml.eos_token_id", 2),
    };
    for (const override_entry& change : changes) {
        std::erase_if(entries, [&](const override_entry& e) { return e.key == change.key; });
        if (change.add) {
            entries.push_back(change);
        }
    }
    gguf_builder out;
    for (const override_entry& entry : entries) {
        entry.add(out);
    }
    test::add_tiny_tensors(out);
    return out.build();
}

override_entry u32(std::string key, std::uint32_t n) {
    return {key, [=](gguf_builder& b) { b.add_u32(key, n); }};
}
override_entry f32(std::string key, float n) {
    return {key, [=](gguf_builder& b) { b.add_f32(key, n); }};
}
override_entry text(std::string key, std::string t) {
    return {key, [=](gguf_builder& b) { b.add_text(key, t); }};
}
override_entry texts(std::string key, std::vector<std::string> t) {
    return {key, [=](gguf_builder& b) { b.add_texts(key, t); }};
}
override_entry u32s(std::string key, std::vector<std::uint32_t> n) {
    return {key, [=](gguf_builder& b) { b.add_numbers<std::uint32_t>(key, value_type::uint32, n); }};
}
override_entry without(std::string key) {
    return {std::move(key), {}};
}

TEST(gguf_check, the_model_that_the_tests_change_is_good) {
    const auto got = check(model_with({}));
    EXPECT_TRUE(got) << got.error().message;
    EXPECT_TRUE(
        check(model_with({u32s("llama.attention.head_count", {4, 2}), u32s("llama.attention.head_count_kv", {0, 2})})));
}

TEST(gguf_check, kind_of_file) {
    expect_refused(model_with({without("general.architecture")}), "general.architecture is missing");
    expect_refused(model_with({u32("general.architecture", 7)}), "general.architecture");
    expect_refused(model_with({text("general.architecture", "clip")}), "image projector");
    expect_refused(model_with({text("general.type", "adapter")}), "'adapter'");
    expect_refused(model_with({{"split.count",
                                [](gguf_builder& b) { b.add("split.count", value_type::uint16, std::uint16_t{3}); }}}),
                   "one part of 3");
    gguf_builder vocabulary = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(vocabulary);
    expect_refused(vocabulary.build(), "no tensors");
    gguf_builder empty = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(empty).add_tensor("t", 0, {0, 4});
    expect_refused(empty.build(), "'t' is empty");
    for (const tensor_type type : {1U, 26U, 24U, 28U, 8U}) {
        gguf_builder norm = test::tiny_hyperparameters();
        test::add_tiny_tokenizer(norm).add_tensor("blk.0.attn_norm.weight", type, {64});
        expect_refused(norm.build(), "no weights of its kind");
    }
    for (const tensor_type type : {26U, 25U, 27U, 28U, 9U, 15U}) {
        gguf_builder matrix = test::tiny_hyperparameters();
        test::add_tiny_tokenizer(matrix).add_tensor("blk.0.attn_q.weight", type, {256, 64});
        expect_refused(matrix.build(), "no weights of its kind");
    }
    gguf_builder loose = test::tiny_hyperparameters();
    loose.alignment = 8;
    test::add_tiny_tokenizer(loose).add_u32("general.alignment", 8).add_tensor("t", 0, {4});
    expect_refused(loose.build(), "needs at least 32");
}

TEST(gguf_check, sizes) {
    for (const std::uint32_t layers : {0U, 513U, 0xFFFFFFFFU}) {
        expect_refused(model_with({u32("llama.block_count", layers)}),
                       "llama.block_count is " + std::to_string(layers));
    }
    expect_refused(model_with({without("llama.block_count")}), "llama.block_count is missing");
    expect_refused(model_with({text("llama.block_count", "two")}), "type string instead of u32");
    expect_refused(model_with({u32("llama.nextn_predict_layers", 2)}), "nextn_predict_layers");
    expect_refused(model_with({u32("llama.context_length", 0)}), "context_length");
    expect_refused(model_with({u32("llama.embedding_length", 0)}), "embedding_length");
    expect_refused(model_with({u32("llama.embedding_length", 0xFFFFFFFF)}), "embedding_length");
    expect_refused(model_with({u32("llama.pooling_type", 9)}), "pooling_type");
    expect_refused(model_with({u32s("llama.feed_forward_length", {96})}), "1 numbers for 2 layers");
    expect_refused(model_with({texts("llama.feed_forward_length", {"96", "96"})}), "array of string");
}

TEST(gguf_check, experts) {
    expect_refused(model_with({u32("llama.expert_count", 2000)}), "expert_count is 2000");
    expect_refused(model_with({u32("llama.expert_count", 8)}), "8 experts and uses 0");
    expect_refused(model_with({u32("llama.expert_used_count", 2)}), "0 experts and uses 2");
    expect_refused(model_with({u32("llama.expert_count", 8), u32("llama.expert_used_count", 9)}),
                   "8 experts and uses 9");
    expect_refused(model_with({u32("llama.expert_count", 8), u32s("llama.expert_used_count", {2, 9})}),
                   "8 experts and uses 9");
    EXPECT_TRUE(check(model_with({u32("llama.expert_count", 8), u32("llama.expert_used_count", 2)})));
    expect_refused(model_with({u32("llama.expert_count", 8), u32("llama.expert_used_count", 2),
                               u32("llama.expert_group_count", 3)}),
                   "3 groups");
    expect_refused(model_with({u32("llama.expert_group_count", 3)}), "3 groups");
}

TEST(gguf_check, heads_and_rotation) {
    expect_refused(model_with({u32("llama.attention.head_count_kv", 3)}), "4 heads, which its 3 key-value heads");
    expect_refused(model_with({u32s("llama.attention.head_count_kv", {2, 3})}), "layer 1 has 4 heads");
    expect_refused(model_with({u32("llama.attention.head_count", 0xFFFFFFFF)}), "head_count is 4294967295");
    expect_refused(model_with({u32("llama.attention.head_count", 128)}), "cannot be dealt");
    expect_refused(model_with({u32("llama.attention.key_length", 0)}), "cannot be dealt");
    expect_refused(model_with({u32("llama.attention.key_length", 32)}), "keys of a head have 32");
    expect_refused(model_with({u32("llama.attention.key_length", 8), u32("llama.attention.value_length", 8),
                               u32("llama.rope.dimension_count", 8)}),
                   "'blk.0.attn_k.weight' has 32 rows, which are not those of heads of 8");
    expect_refused(model_with({text("general.architecture", "gemma3"), u32("gemma3.block_count", 2),
                               u32("gemma3.context_length", 128), u32("gemma3.embedding_length", 64),
                               u32("gemma3.attention.head_count", 4), u32("gemma3.attention.head_count_kv", 2),
                               u32("gemma3.attention.value_length", 5), u32("gemma3.attention.value_length_swa", 16)}),
                   "'blk.1.attn_v.weight' has 32 rows, which are not those of heads of 5");
    expect_refused(model_with({u32("llama.rope.dimension_count", 15)}), "must be even");
    expect_refused(model_with({u32("llama.rope.dimension_count", 32)}), "at most 16");
    expect_refused(model_with({text("llama.rope.scaling.type", "spiral")}), "'spiral'");
    EXPECT_TRUE(check(model_with({text("llama.rope.scaling.type", "yarn")})));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    expect_refused(model_with({f32("llama.attention.layer_norm_rms_epsilon", nan)}), "no sensible number");
    expect_refused(model_with({f32("llama.attention.layer_norm_rms_epsilon", -1)}), "no sensible number");
    expect_refused(model_with({f32("llama.rope.freq_base", std::numeric_limits<float>::infinity())}),
                   "no sensible number");
    expect_refused(model_with({f32("llama.logit_scale", nan)}), "no sensible number");
}

TEST(gguf_check, vocabulary) {
    const std::string tokens = "tokenizer.ggml.tokens";
    expect_refused(model_with({without("tokenizer.ggml.model")}), "tokenizer.ggml.model is missing");
    expect_refused(model_with({without(tokens)}), "tokenizer.ggml.tokens is missing");
    expect_refused(model_with({texts(tokens, {})}), "empty");
    expect_refused(model_with({u32s(tokens, {1, 2})}), "not an array of strings");
    expect_refused(model_with({texts(tokens, {"a", "b", "c", "b"})}), "'b' (3) is in the vocabulary twice");
    expect_refused(model_with({texts(tokens, {"a", "[EMPTY_2]", ""})}), "twice");
    EXPECT_TRUE(check(model_with({texts(tokens, {"a", "", "b", ""})})));
    expect_refused(model_with({u32("tokenizer.ggml.eos_token_id", 8)}),
                   "eos_token_id is 8, and the vocabulary has 8 tokens");
    EXPECT_TRUE(check(model_with({u32("tokenizer.ggml.eos_token_id", 0xFFFFFFFF)})));
    expect_refused(model_with({text("tokenizer.ggml.bos_token_id", "<s>")}), "is not a u32");
    expect_refused(model_with({texts(tokens, {"a"}), without("tokenizer.ggml.bos_token_id"),
                               without("tokenizer.ggml.eos_token_id")}),
                   "names none");
    expect_refused(model_with({u32s("tokenizer.ggml.scores", {1})}), "tokenizer.ggml.scores");
    expect_refused(model_with({{"tokenizer.ggml.scores",
                                [](gguf_builder& b) {
                                    b.add_numbers<float>(
                                        "tokenizer.ggml.scores", value_type::float32,
                                        {0, 0, 0, 0, 0, 0, 0, std::numeric_limits<float>::quiet_NaN()});
                                }}}),
                   "score of token 7");
    expect_refused(model_with({{"tokenizer.ggml.token_type",
                                [](gguf_builder& b) {
                                    b.add_numbers<std::int32_t>("tokenizer.ggml.token_type", value_type::int32,
                                                                {1, 1, 1});
                                }}}),
                   "one i32 for each of the 8");
    expect_refused(model_with({{"tokenizer.ggml.token_type",
                                [](gguf_builder& b) {
                                    b.add_numbers<std::int32_t>("tokenizer.ggml.token_type", value_type::int32,
                                                                {1, 1, 1, 1, 6, 1, 1, 1});
                                }}}),
                   "token 4 is said to be a byte");
    expect_refused(model_with({u32("tokenizer.chat_template", 5)}), "tokenizer.chat_template has the type u32");
    expect_refused(model_with({text("tokenizer.ggml.model", "gpt2")}), "merges is missing");
    expect_refused(model_with({text("tokenizer.ggml.model", "gpt2"), u32("tokenizer.ggml.merges", 1)}),
                   "not an array of strings");
    expect_refused(model_with({text("tokenizer.ggml.model", "rwkv"), texts(tokens, {"a", "bc", "d"})}),
                   "no token itself");
    EXPECT_TRUE(check(
        model_with({text("tokenizer.ggml.model", "rwkv"), texts(tokens, {"a", "bc", "b", "\\n", "\\x62\\x63"})})));
    expect_refused(model_with({text("tokenizer.ggml.model", "none"), u32("llama.vocab_size", 0xFFFFFFFF)}),
                   "vocab_size");
    EXPECT_TRUE(check(model_with({text("tokenizer.ggml.model", "none"), without(tokens), u32("llama.vocab_size", 8)})));
}

// A valid file with some bytes changed or cut: a header or a clean error, nothing else. The seed of a failure is
// printed.
TEST(gguf_check, two_hundred_damaged_files) {
    const std::string whole = test::tiny_model();
    const auto header = parse_header(std::as_bytes(std::span(whole)), whole.size());
    ASSERT_TRUE(header);
    int refused = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::uint64_t draws = 0;
        const auto draw = [&](std::uint64_t below) {
            return static_cast<std::uint64_t>(uniform_draw(seed, draws++) * static_cast<double>(below));
        };
        std::string damaged = whole;
        const auto changes = 1 + draw(8);
        for (std::uint64_t i = 0; i < changes; ++i) {
            const auto at = draw(header->header_bytes);
            switch (draw(4)) {
                case 0: damaged[at] = static_cast<char>(draw(256)); break;
                case 1: damaged[at] = static_cast<char>(0xFF); break;
                case 2: damaged[at] = static_cast<char>(damaged[at] ^ (1 << draw(8))); break;
                default: damaged.erase(at, draw(16)); break;
            }
        }
        if (draw(3) == 0) {
            damaged.resize(draw(damaged.size()));
        }
        const auto got = check(damaged);
        if (!got) {
            ++refused;
            EXPECT_FALSE(got.error().message.empty());
            EXPECT_LT(got.error().message.size(), 400U);
        }
    }
    EXPECT_GT(refused, 150);
}

TEST(gguf_check, the_starter_model_passes) {
    const std::filesystem::path path = std::filesystem::path(STARLING_MODELS_DIR) / "starter.gguf";
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << "models/starter.gguf is not there";
    }
    const auto header = read_header(path);
    ASSERT_TRUE(header) << header.error().message;
    const auto got = check_model(*header);
    EXPECT_TRUE(got) << got.error().message;
    EXPECT_GT(header->parameters(), 1'000'000U);
}

}  // namespace
}  // namespace starling::gguf
