// API keys from a file: one on each line; empty lines and lines that begin with # are skipped.
#pragma once

#include "base/result.hpp"
#include "node/errc.hpp"
#include "settings/errc.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace starling::node {

/// Pure. Error: settings::errc::bad_config, with the line, for a key with spaces or control characters in it.
result<std::vector<std::string>> parse_keys(std::string_view text, std::string_view file_name);

/// Errors: errc::data_dir when it cannot be read, settings::errc::bad_config when it holds no key. No message shows a
/// key.
result<std::vector<std::string>> read_keys(const std::filesystem::path& file);

}  // namespace starling::node
