// Where the bytes of a model come from when it is cut: a local file, or byte ranges of one that lies elsewhere.
#pragma once

#include "base/result.hpp"
#include "gguf/errc.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace starling::gguf {

class range_source {
  public:
    range_source() = default;
    range_source(const range_source&) = delete;
    range_source& operator=(const range_source&) = delete;
    virtual ~range_source() = default;

    /// Fills `into` with the bytes that begin at `offset`, all of it or an error. Blocks.
    virtual result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;

    /// A file descriptor that holds the same bytes at the same offsets, for copies inside the kernel; -1 without one.
    virtual int descriptor() const { return -1; }
};

/// A file of this machine. errc::cannot_open, errc::io_failed.
result<std::unique_ptr<range_source>> open_file(const std::filesystem::path& path);

}  // namespace starling::gguf
