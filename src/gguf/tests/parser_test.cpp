#include "gguf/gguf.hpp"

#include "gguf/tests/gguf_builder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

namespace starling::gguf {
namespace {

using test::gguf_builder;

result<file_header> parse(const std::string& bytes, std::uint64_t file_size) {
    return parse_header(std::as_bytes(std::span(bytes)), file_size);
}

result<file_header> parse(const std::string& bytes) {
    return parse(bytes, bytes.size());
}

void expect_error(const std::string& bytes, errc code, std::string_view words) {
    const auto got = parse(bytes);
    ASSERT_FALSE(got) << words;
    EXPECT_TRUE(got.error() == code) << got.error().code << ": " << got.error().message;
    EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
}

TEST(gguf_parser, reads_a_model) {
    const auto got = parse(test::tiny_model());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->version, 3U);
    EXPECT_EQ(got->architecture(), "llama");
    EXPECT_EQ(got->name(), "Tiny");
    EXPECT_EQ(got->layers(), 2);
    EXPECT_EQ(got->context_length(), 128);
    EXPECT_EQ(got->embedding_length(), 64);
    EXPECT_EQ(got->heads(0), 4);
    EXPECT_EQ(got->kv_heads(1), 2);
    EXPECT_EQ(got->key_length(), 16);
    EXPECT_EQ(got->value_length(), 16);
    EXPECT_EQ(got->vocabulary_size(), 8);
    EXPECT_EQ(got->experts(), 0);
    EXPECT_EQ(got->chat_template(), "{{ messages[0].content }}");
    EXPECT_EQ(got->dominant_type(), "q8_0");
    EXPECT_EQ(got->tensors.size(), 20U);
    EXPECT_EQ(got->data_offset % 32, 0U);
    EXPECT_EQ(got->parameters(), 64U * 8 + 64 + 2 * (64 + 64 * 64 * 2 + 64 * 32 * 2 + 64 + 64 * 96 * 3));
    const tensor_info* tensor = got->find_tensor("blk.1.ffn_down.weight");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->dimensions, 2U);
    EXPECT_EQ(tensor->shape[0], 96U);
    EXPECT_EQ(tensor->bytes, 96U * 64 / 32 * 34);
    EXPECT_TRUE(check_model(*got));
}

TEST(gguf_parser, keeps_values_as_they_are) {
    gguf_builder made;
    made.add("a.u8", value_type::uint8, std::uint8_t{200})
        .add("a.i8", value_type::int8, std::int8_t{-3})
        .add("a.u16", value_type::uint16, std::uint16_t{60000})
        .add("a.i16", value_type::int16, std::int16_t{-300})
        .add("a.i32", value_type::int32, std::int32_t{-70000})
        .add("a.u64", value_type::uint64, std::numeric_limits<std::uint64_t>::max())
        .add("a.i64", value_type::int64, std::int64_t{-5})
        .add("a.f64", value_type::float64, 0.25)
        .add_bool("a.bool", true)
        .add_text("a.text", std::string("x\0y", 3))
        .add_texts("a.texts", {"one", "", "three"})
        .add_numbers<std::uint16_t>("a.numbers", value_type::uint16, {1, 2, 65535})
        .add_numbers<float>("a.floats", value_type::float32, {0.5F});
    const auto got = parse(made.build());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->find("a.u8")->integer(), 200);
    EXPECT_EQ(got->find("a.i8")->integer(), -3);
    EXPECT_EQ(got->find("a.u16")->integer(), 60000);
    EXPECT_EQ(got->find("a.i16")->integer(), -300);
    EXPECT_EQ(got->find("a.i32")->integer(), -70000);
    EXPECT_EQ(got->find("a.u64")->integer(), std::nullopt);
    EXPECT_EQ(got->find("a.i64")->number(), -5.0);
    EXPECT_EQ(got->find("a.f64")->number(), 0.25);
    EXPECT_EQ(got->find("a.bool")->integer(), std::nullopt);
    EXPECT_EQ(got->find("a.bool")->type(), value_type::boolean);
    EXPECT_EQ(got->find("a.text")->text(), std::string_view("x\0y", 3));
    EXPECT_EQ(got->find("a.missing"), nullptr);
    const auto& texts = std::get<array>(got->find("a.texts")->held);
    ASSERT_EQ(texts.size(), 3U);
    EXPECT_EQ(texts.text_at(0), "one");
    EXPECT_EQ(texts.text_at(1), "");
    EXPECT_EQ(texts.text_at(2), "three");
    EXPECT_EQ(texts.integer_at(0), std::nullopt);
    const auto& numbers = std::get<array>(got->find("a.numbers")->held);
    EXPECT_EQ(numbers.type(), value_type::uint16);
    EXPECT_EQ(numbers.integer_at(2), 65535);
    EXPECT_EQ(numbers.number_at(1), 2.0);
    EXPECT_EQ(numbers.text_at(0), std::nullopt);
    EXPECT_EQ(numbers.raw(), std::string_view("\1\0\2\0\xFF\xFF", 6));
    EXPECT_EQ(std::get<array>(got->find("a.floats")->held).number_at(0), 0.5);
}

TEST(gguf_parser, a_prefix_asks_for_more_and_the_header_is_enough) {
    const std::string whole = test::tiny_model();
    const auto header = parse(whole);
    ASSERT_TRUE(header);
    for (std::size_t size = 0; size < header->header_bytes; ++size) {
        const auto got = parse(whole.substr(0, size), whole.size());
        ASSERT_FALSE(got) << size;
        EXPECT_TRUE(got.error() == errc::incomplete) << size << ": " << got.error().message;
    }
    const auto enough = parse(whole.substr(0, header->header_bytes), whole.size());
    ASSERT_TRUE(enough) << enough.error().message;
    EXPECT_EQ(enough->data_offset, header->data_offset);
}

TEST(gguf_parser, every_truncation_is_said) {
    const std::string whole = test::tiny_model();
    const auto header = parse(whole);
    const auto end = header->data_offset + header->tensors.back().offset + header->tensors.back().bytes;
    for (std::size_t size = 0; size < end; size += size < header->data_offset ? 1 : 97) {
        const auto got = parse(whole.substr(0, size));
        ASSERT_FALSE(got) << size;
        EXPECT_TRUE(got.error() == (size < 4 ? errc::not_a_gguf : errc::truncated))
            << size << ": " << got.error().message;
    }
    EXPECT_TRUE(parse(whole.substr(0, end))) << "the padding after the last tensor may be missing";
}

TEST(gguf_parser, refuses_other_files_and_versions) {
    expect_error("", errc::not_a_gguf, "too short");
    expect_error("PK\3\4 and so on", errc::not_a_gguf, "does not begin with 'GGUF'");
    gguf_builder made = test::tiny_hyperparameters();
    for (const std::uint32_t version : {0U, 1U, 4U, 0x7FFFFFFFU}) {
        made.version = version;
        EXPECT_TRUE(parse(made.build()).error() == errc::unsupported_version) << version;
    }
    made.version = 0x03000000;
    expect_error(made.build(), errc::unsupported_version, "big-endian");
    made.version = 2;
    EXPECT_TRUE(parse(made.build()));
}

TEST(gguf_parser, lengths_that_lie_take_no_memory) {
    const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t claim : {huge, huge / 2, huge / 8 + 1, std::uint64_t{1} << 40, std::uint64_t{1} << 32}) {
        std::string bytes;
        gguf_builder::put(bytes, claim);
        gguf_builder text;
        text.add_raw("a.b", 8, bytes + "abc");
        EXPECT_FALSE(parse(text.build())) << claim;
        for (std::uint32_t element = 0; element < 14; ++element) {
            std::string head;
            gguf_builder::put(head, element);
            gguf_builder list;
            list.add_raw("a.b", 9, head + bytes + "abcdefgh");
            EXPECT_FALSE(parse(list.build())) << claim << " of " << element;
        }
        gguf_builder counts;
        counts.metadata_count = claim;
        EXPECT_FALSE(parse(counts.build())) << claim;
        counts.metadata_count = 0;
        counts.tensor_count = claim;
        EXPECT_FALSE(parse(counts.build())) << claim;
    }
}

TEST(gguf_parser, refuses_bad_metadata) {
    expect_error(gguf_builder().add_u32("", 1).build(), errc::corrupt, "is empty");
    expect_error(gguf_builder().add_u32("a b", 1).build(), errc::corrupt, "control characters");
    expect_error(gguf_builder().add_u32(std::string_view("a\0b", 3), 1).build(), errc::corrupt, "control characters");
    expect_error(gguf_builder().add_u32(std::string(70000, 'k'), 1).build(), errc::corrupt, "claims 70000 bytes");
    expect_error(gguf_builder().add_u32("a.b", 1).add_f32("a.b", 1).build(), errc::corrupt, "'a.b' is there twice");
    expect_error(gguf_builder().add_raw("a.b", 13, "12345678").build(), errc::corrupt, "unknown value type 13");
    expect_error(gguf_builder().add_raw("a.b", 7, "\2").build(), errc::corrupt, "boolean");
    expect_error(gguf_builder().add_numbers<std::uint8_t>("a.b", value_type::boolean, {0, 1, 9}).build(), errc::corrupt,
                 "booleans");
    expect_error(gguf_builder().add_numbers<std::uint64_t>("a.b", value_type::array, {0, 1, 9}).build(), errc::corrupt,
                 "holds arrays");
    expect_error(gguf_builder().add_text("general.alignment", "32").build(), errc::corrupt,
                 "type string instead of u32");
    for (const std::uint32_t alignment : {0U, 3U, 48U, 1U << 31}) {
        expect_error(gguf_builder().add_u32("general.alignment", alignment).build(), errc::corrupt, "power of two");
    }
}

TEST(gguf_parser, refuses_bad_tensors) {
    const std::uint64_t big = std::uint64_t{1} << 33;
    const auto with = [](std::string_view name, tensor_type type, const std::vector<std::uint64_t>& shape,
                         std::uint64_t offset) {
        return gguf_builder().add_tensor_entry(name, type, shape, offset).build();
    };
    expect_error(with("", 0, {1}, 0), errc::corrupt, "is empty");
    expect_error(with("a\nb", 0, {1}, 0), errc::corrupt, "control characters");
    expect_error(with(std::string(64, 'n'), 0, {1}, 0), errc::corrupt, "claims 64 bytes");
    expect_error(with("t", 0, {1, 1, 1, 1, 1}, 0), errc::corrupt, "claims 5 dimensions");
    for (const tensor_type type : {4U, 5U, 31U, 36U, 43U, 0xFFFFFFFFU}) {
        expect_error(with("t", type, {32}, 0), errc::corrupt, "unknown type");
    }
    expect_error(with("t", 8, {33}, 0), errc::corrupt, "do not divide");
    expect_error(with("t", 0, {big, big}, 0), errc::corrupt, "can be counted");
    expect_error(with("t", 0, {big, 0, big, big}, 0), errc::corrupt, "can be counted");
    expect_error(with("t", 28, {std::uint64_t{1} << 62}, 0), errc::corrupt, "bytes than can be counted");
    expect_error(with("t", 0, {std::uint64_t{1} << 60}, 0), errc::truncated, "before the end of the tensor 't'");
    expect_error(with("t", 0, {1}, 32), errc::corrupt, "said to begin at byte 32");
    expect_error(with("t", 0, {1}, std::numeric_limits<std::uint64_t>::max()), errc::corrupt, "said to begin");

    gguf_builder twice;
    twice.add_tensor("t", 0, {8}).add_tensor("t", 0, {8});
    expect_error(twice.build(), errc::corrupt, "'t' is there twice");
    gguf_builder overlap;
    overlap.add_tensor("t", 0, {8}).add_tensor_entry("u", 0, {8}, 0);
    expect_error(overlap.build(), errc::corrupt, "'u' is said to begin at byte 0");
    gguf_builder gap;
    gap.add_tensor("t", 0, {8}).add_tensor_entry("u", 0, {8}, 64);
    expect_error(gap.build() + std::string(100, '\0'), errc::corrupt, "the one before it ends at 32");
}

TEST(gguf_parser, alignment_moves_the_data) {
    gguf_builder made;
    made.alignment = 256;
    made.add_u32("general.alignment", 256).add_tensor("t", 0, {8}).add_tensor("u", 0, {8});
    const auto got = parse(made.build());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->data_offset, 256U);
    EXPECT_EQ(got->tensors[1].offset, 256U);
}

TEST(gguf_parser, knows_every_type_that_ggml_has) {
    int known = 0;
    for (tensor_type type = 0; type < 64; ++type) {
        const auto info = find_tensor_type(type);
        known += info ? 1 : 0;
        EXPECT_TRUE(!info || (info->type == type && info->block_bytes > 0 && info->block_elements > 0));
    }
    EXPECT_EQ(known, 35);
}

TEST(gguf_read, says_what_is_wrong_with_the_file) {
    const std::filesystem::path folder =
        std::filesystem::path(::testing::TempDir()) / ("gguf_read_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto missing = read_header(folder / "missing.gguf");
    ASSERT_FALSE(missing);
    EXPECT_TRUE(missing.error() == errc::cannot_open);
    EXPECT_NE(missing.error().message.find("missing.gguf"), std::string::npos);
    const auto directory = read_header(folder);
    ASSERT_FALSE(directory);
    EXPECT_TRUE(directory.error() == errc::cannot_open);
    EXPECT_FALSE(read_header("/dev/zero"));

    std::ofstream(folder / "tiny.gguf", std::ios::binary) << test::tiny_model();
    const auto good = read_header(folder / "tiny.gguf");
    ASSERT_TRUE(good) << good.error().message;
    EXPECT_EQ(good->layers(), 2);
    std::ofstream(folder / "cut.gguf", std::ios::binary) << test::tiny_model().substr(0, 5000);
    const auto cut = read_header(folder / "cut.gguf");
    ASSERT_FALSE(cut);
    EXPECT_TRUE(cut.error() == errc::truncated);
    EXPECT_NE(cut.error().message.find("cut.gguf"), std::string::npos);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace starling::gguf
