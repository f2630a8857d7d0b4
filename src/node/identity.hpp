// Who this node is: an Ed25519 key pair (RFC 8032). The node id is the public key, 64 hex characters.
//
// The secret seed lives in <data-dir>/node.key (mode 0600, 64 hex characters and a line feed), made on first run.
// Losing the file makes another node of this one; whoever has it can pass for this node.
#pragma once

#include "base/result.hpp"
#include "node/errc.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace starling::node {

class identity {
  public:
    static constexpr std::size_t key_bytes = 32;

    /// Reads the key file, or makes it. Error: errc::data_dir, when it cannot be read or written, is not a key, or may
    /// be read by others.
    static result<identity> load_or_create(const std::filesystem::path& key_file);

    const std::string& node_id() const { return node_id_; }

  private:
    explicit identity(std::array<std::uint8_t, key_bytes> seed);

    std::array<std::uint8_t, key_bytes> seed_;
    std::string node_id_;
};

}  // namespace starling::node
