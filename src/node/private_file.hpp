// Small files that only their owner may read: keys, keys of others, the running node's address. POSIX.
#pragma once

#include "base/result.hpp"
#include "node/errc.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace starling::node {

/// Creates the directory (mode 0700) where it is missing, and tries that a file can be made in it.
/// Error: errc::data_dir, with the reason and what to do.
result<void> prepare_data_dir(const std::filesystem::path& dir);

/// Replaces the file as a whole: a temporary file beside it (mode 0600), synchronised, then renamed. A full disk leaves
/// the old one as it was. Error: errc::data_dir.
result<void> write_private_file(const std::filesystem::path& path, std::string_view content);

/// Error: errc::data_dir, when it cannot be read or is longer than `limit_bytes`.
result<std::string> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes);

}  // namespace starling::node
