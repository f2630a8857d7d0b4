// The TLS 1.3 side of one connection, in the form in which ngtcp2 drives it.
#pragma once

#include "base/result.hpp"
#include "quic/credentials.hpp"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <memory>

namespace starling::quic {

/// Both sides speak this or nothing; it changes with the meaning of the streams, not with their messages.
inline constexpr char application_protocol[] = "starling/1";

class tls_session {
  public:
    tls_session() = default;
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;
    ~tls_session();

    /// Mutual authentication: a server asks for a certificate, and a client without one does not get in.
    /// `connection` outlives the session. Error: transport::errc::internal.
    result<void> start(bool server, std::shared_ptr<const credentials> self, ngtcp2_crypto_conn_ref& connection);

    gnutls_session_t handle() const { return handle_; }

  private:
    std::shared_ptr<const credentials> self_;
    gnutls_session_t handle_ = nullptr;
};

}  // namespace starling::quic
