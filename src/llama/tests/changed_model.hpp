// A copy of a model file with something changed, for as long as the object lives.
#pragma once

#include "gguf/gguf.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

namespace starling::llama {

class changed_model {
  public:
    changed_model(const std::filesystem::path& original, const std::string& name,
                  const std::function<void(std::string& bytes)>& change)
        : path_(std::filesystem::temp_directory_path() / (name + "-" + std::to_string(::getpid()) + ".gguf")) {
        std::ifstream in(original, std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        change(bytes);
        std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    changed_model(const changed_model&) = delete;
    changed_model& operator=(const changed_model&) = delete;
    ~changed_model() { std::filesystem::remove(path_); }

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// The same vocabulary, and weights in such disorder that the model says nothing sensible: what is in a block of a
/// Q8_0 tensor stands in it the other way round.
inline void scramble_weights(std::string& bytes, const std::filesystem::path& original) {
    const auto header = gguf::read_header(original);
    ASSERT_TRUE(header) << header.error().message;
    constexpr std::ptrdiff_t block = 34;  // a scale of two bytes and 32 values
    constexpr std::ptrdiff_t scale = 2;
    int scrambled = 0;
    constexpr gguf::tensor_type q8_0 = 8;
    for (const auto& tensor : header->tensors) {
        if (tensor.type != q8_0) {
            continue;
        }
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(header->data_offset + tensor.offset);
        const auto size = static_cast<std::ptrdiff_t>(tensor.bytes);
        for (std::ptrdiff_t at = 0; at < size; at += block) {
            std::reverse(begin + at + scale, begin + at + block);
        }
        ++scrambled;
    }
    ASSERT_GT(scrambled, 0);
}

}  // namespace starling::llama
