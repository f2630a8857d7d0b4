// Ed25519 signatures (RFC 8032): the key pair of a node or of a mesh, and the check of a signature.
//
// Pure arithmetic on nettle; only `generate` asks the system, for random bytes. Called by: transport, admission, wire,
// node.
#pragma once

#include "base/node_id.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace starling::keys {

using signature = std::array<std::uint8_t, 64>;

class key_pair {
  public:
    /// The secret half, 32 random bytes: everything else follows from it.
    using seed = std::array<std::uint8_t, 32>;

    explicit key_pair(const seed& secret);

    /// A new pair from the system's random source. Throws std::system_error when there is none.
    static key_pair generate();

    /// The public key.
    const node_id& id() const { return id_; }

    /// Whoever has it can pass for this node: a key file and a TLS library are the only places for it.
    const seed& secret() const { return secret_; }

    signature sign(std::span<const std::uint8_t> message) const;

  private:
    seed secret_;
    node_id id_;
};

/// True when `made` is the signature of `message` by the owner of `signer`.
bool verify(const node_id& signer, std::span<const std::uint8_t> message, const signature& made);

}  // namespace starling::keys
