// The few things that need the operating system: locks, durable writes, free space. Blocking; Linux and macOS.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace starling::models {

/// A file that is being fetched. Whoever holds one holds its lock, across processes; nothing else writes to it.
class part_file {
  public:
    /// Creates the file if need be. Nothing when somebody else holds it.
    static result<std::optional<part_file>> lock(const std::filesystem::path& path);

    part_file(part_file&& other) noexcept;
    part_file& operator=(part_file&&) = delete;
    ~part_file();

    std::uint64_t size() const { return size_; }
    result<void> append(std::string_view bytes);
    result<void> truncate(std::uint64_t size);
    /// At most `count` bytes from `offset`.
    result<std::string> read(std::uint64_t offset, std::size_t count) const;
    /// Data to the disk, then the name: afterwards the file is at `target` and nowhere else.
    result<void> commit(const std::filesystem::path& target);
    /// Deletes the file.
    void discard();

  private:
    part_file(std::filesystem::path path, int descriptor, std::uint64_t size)
        : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

    std::filesystem::path path_;
    int descriptor_;
    std::uint64_t size_;
};

/// Replaces `path` with these bytes: all of them or nothing, also when the power fails.
result<void> write_durably(const std::filesystem::path& path, std::string_view bytes);

/// Nothing when there is no such file; an error when it cannot be read or is longer than `limit_bytes`.
result<std::optional<std::string>> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes);

bool has_content(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Free for this user on the disk that holds `path`; the largest number when the system does not say.
std::uint64_t free_disk_bytes(const std::filesystem::path& path);

}  // namespace starling::models
