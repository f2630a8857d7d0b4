// A file on its way to its name: written beside it, synced, renamed; gone again unless it was committed.
//
// Any one thread. Called by: slice_writer.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace starling::gguf {

class temporary_file {
  public:
    static result<temporary_file> create(const std::filesystem::path& beside);
    temporary_file(temporary_file&& other) noexcept;
    temporary_file& operator=(temporary_file&&) = delete;
    ~temporary_file();

    const std::filesystem::path& path() const { return path_; }
    int descriptor() const { return descriptor_; }

    result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);

    /// What is not written is a hole of zeros.
    result<void> resize(std::uint64_t size);

    /// Once.
    result<void> commit(const std::filesystem::path& to);

  private:
    temporary_file() = default;

    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace starling::gguf
