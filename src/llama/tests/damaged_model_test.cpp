// Damaged files: a clean error or a model that loads, never a crash.
#include "llama/llama.hpp"
#include "repository_paths.hpp"

#include "gguf/gguf.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <vector>

namespace starling::llama {
namespace {

namespace fs = std::filesystem;

std::vector<char> read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class damaged_model : public testing::Test {
  protected:
    damaged_model() : path_(fs::temp_directory_path() / ("starling-damaged-" + std::to_string(::getpid()) + ".gguf")) {}
    ~damaged_model() override { fs::remove(path_); }

    /// Empty when the file loads.
    std::string complaint(std::span<const char> bytes) {
        std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        const auto loaded = load_engine({.id = "damaged", .path = path_, .context = 64, .slots = 1, .threads = 1});
        return loaded ? std::string{} : loaded.error().message;
    }

    fs::path path_;
};

TEST_F(damaged_model, TruncatedFilesAreRefused) {
    const auto whole = read(STARLING_MODELS_DIR "/starter.gguf");
    std::mt19937 random(20261121);
    for (int i = 0; i < 60; ++i) {
        const auto length = std::uniform_int_distribution<std::size_t>(0, whole.size() - 1)(random) >> (i % 12);
        EXPECT_NE(complaint(std::span(whole).first(length)), "") << "cut to " << length << " bytes";
    }
}

TEST_F(damaged_model, CorruptHeadersNeverCrash) {
    const auto whole = read(STARLING_MODELS_DIR "/starter.gguf");
    const auto header = gguf::read_header(STARLING_MODELS_DIR "/starter.gguf");
    ASSERT_TRUE(header);
    // The scalars come before the vocabulary and the tensor list after it; most damage goes where it hurts.
    const std::size_t end = header->header_bytes;
    for (std::uint32_t seed = 0; seed < 140; ++seed) {
        std::mt19937 random(seed);
        auto bytes = whole;
        const std::size_t from = seed % 3 == 0 ? end - end / 50 : 0;
        const std::size_t to = seed % 3 == 1 ? std::min<std::size_t>(end, 2048) : end;
        for (std::uint32_t flips = 0; flips <= seed % 5; ++flips) {
            bytes[std::uniform_int_distribution<std::size_t>(from, to - 1)(random)] = static_cast<char>(random());
        }
        SCOPED_TRACE("seed " + std::to_string(seed));
        complaint(bytes);
    }
}

}  // namespace
}  // namespace starling::llama
