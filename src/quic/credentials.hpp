// What a node shows in a TLS 1.3 handshake: a self-signed certificate on its Ed25519 key. The certificate is an
// envelope for the key and nothing in it but the key is looked at; who may do what is decided above (admission).
#pragma once

#include "base/node_id.hpp"
#include "base/result.hpp"
#include "keys/keys.hpp"

#include <gnutls/gnutls.h>

#include <memory>
#include <optional>

namespace starling::quic {

class credentials {
  public:
    /// Error: transport::errc::internal, when GnuTLS refuses.
    static result<std::shared_ptr<const credentials>> create(const keys::key_pair& keys);

    credentials(const credentials&) = delete;
    credentials& operator=(const credentials&) = delete;
    ~credentials();

    /// For gnutls_credentials_set; valid as long as this object.
    gnutls_certificate_credentials_t handle() const { return handle_; }

  private:
    explicit credentials(gnutls_certificate_credentials_t handle) : handle_(handle) {}

    gnutls_certificate_credentials_t handle_;
};

/// The key that the other side of this session has shown; GnuTLS has checked that it holds the secret half by the end
/// of the handshake. Nothing when it showed none, or one of another kind.
std::optional<node_id> peer_of(gnutls_session_t session);

}  // namespace starling::quic
