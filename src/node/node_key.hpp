// The file that a key pair is kept in: 64 hex characters of the secret seed and a line feed, mode 0600.
//
// A node's is <data-dir>/node.key, made on first run; its node id is the public half. Losing the file makes another
// node of this one; whoever has it can pass for this node.
#pragma once

#include "base/result.hpp"
#include "keys/keys.hpp"
#include "node/errc.hpp"

#include <filesystem>

namespace starling::node {

/// Reads the key file, or makes it. Error: errc::data_dir, when it cannot be read or written, is not a key, or may be
/// read by others.
result<keys::key_pair> load_or_create_key(const std::filesystem::path& key_file);

}  // namespace starling::node
