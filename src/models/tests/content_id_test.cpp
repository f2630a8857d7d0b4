#include "models/content_id.hpp"

#include "gguf/gguf.hpp"
#include "gguf/tests/gguf_builder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace starling::models {
namespace {

class content_id_test : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::path(::testing::TempDir()) /
                  ("content_" + std::to_string(::getpid()) + "_" + info->name());
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }

    /// With a tensor that is sampled, and one so small that all of it counts.
    static std::string model(std::string_view name = "Tiny model") {
        constexpr gguf::tensor_type f32 = 0;
        test::gguf_builder out;
        out.add_text("general.architecture", "llama").add_text("general.name", name);
        out.add_tensor("large.weight", f32, {64, 200}).add_tensor("small.weight", f32, {64});
        return out.build();
    }

    std::string id_of(const std::string& bytes) const {
        const auto id = content_id(write("other.gguf", bytes));
        EXPECT_TRUE(id) << id.error().message;
        return id ? *id : std::string();
    }

    std::filesystem::path folder_;
};

TEST_F(content_id_test, TheSameContentHasTheSameIdWhereverItLies) {
    const auto first = content_id(write("a.gguf", model()));
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->size(), 64U);
    EXPECT_EQ(first->find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(*content_id(folder_ / "a.gguf"), *first);
    EXPECT_EQ(id_of(model()), *first);
}

TEST_F(content_id_test, AByteThatIsSampledMakesADifference) {
    const std::string whole = model();
    const auto id = id_of(whole);
    const auto header = gguf::read_header(write("a.gguf", whole));
    ASSERT_TRUE(header);
    for (const auto& tensor : header->tensors) {
        const auto begin = static_cast<std::size_t>(header->data_offset + tensor.offset);
        const auto size = static_cast<std::size_t>(tensor.bytes);
        for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
            std::string other = whole;
            other[begin + at] = 1;
            EXPECT_NE(id_of(other), id) << tensor.name << " at " << at;
        }
    }
}

TEST_F(content_id_test, EveryByteOfASmallTensorCounts) {
    const std::string whole = model();
    const auto id = id_of(whole);
    for (std::size_t i = 1; i <= 256; i += 17) {
        std::string other = whole;
        other[other.size() - i] = 1;
        EXPECT_NE(id_of(other), id) << i << " bytes before the end";
    }
}

TEST_F(content_id_test, AnotherHeaderMakesADifference) {
    const auto id = id_of(model());
    EXPECT_NE(id_of(model("Tiny modem")), id) << "of the same length";
    EXPECT_NE(id_of(model("Tiny model, tuned")), id);
}

TEST_F(content_id_test, AnotherLengthMakesADifference) {
    EXPECT_NE(id_of(model() + std::string(64, '\0')), id_of(model()));
}

TEST_F(content_id_test, AFileThatWasCutHasNone) {
    const std::string whole = model();
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{3}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
        const auto id = content_id(write("cut.gguf", whole.substr(0, size)));
        EXPECT_FALSE(id) << size;
        EXPECT_FALSE(id || id.error().message.empty());
    }
    EXPECT_FALSE(content_id(folder_ / "missing.gguf"));
}

}  // namespace
}  // namespace starling::models
