#include "quic/tls_session.hpp"

#include "transport/errc.hpp"

#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace starling::quic {

namespace {

/// One curve, one signature, three ciphers: nothing old, and nothing to choose.
constexpr const char* priorities =
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AEAD:+SHA256:+SHA384:+ECDHE-ECDSA:+GROUP-X25519:"
    "+SIGN-EDDSA-ED25519:+CTYPE-X509:%DISABLE_TLS13_COMPAT_MODE";

}  // namespace

tls_session::~tls_session() {
    if (handle_ != nullptr) {
        gnutls_deinit(handle_);
    }
}

result<void> tls_session::start(bool server, std::shared_ptr<const credentials> self,
                                ngtcp2_crypto_conn_ref& connection) {
    self_ = std::move(self);
    const auto refused = [](const char* what) {
        return fail(transport::errc::internal, std::string("GnuTLS refused a session: ") + what + ".");
    };
    const unsigned flags = (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NO_END_OF_EARLY_DATA |
                           GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_TICKETS;
    if (gnutls_init(&handle_, flags) < 0) {
        return refused("gnutls_init");
    }
    const int configured = server ? ngtcp2_crypto_gnutls_configure_server_session(handle_)
                                  : ngtcp2_crypto_gnutls_configure_client_session(handle_);
    if (configured != 0) {
        return refused("QUIC");
    }
    if (gnutls_priority_set_direct(handle_, priorities, nullptr) < 0) {
        return refused("priorities");
    }
    gnutls_session_set_ptr(handle_, &connection);
    if (gnutls_credentials_set(handle_, GNUTLS_CRD_CERTIFICATE, self_->handle()) < 0) {
        return refused("credentials");
    }
    std::array<unsigned char, sizeof application_protocol - 1> name{};
    std::memcpy(name.data(), application_protocol, name.size());
    const gnutls_datum_t protocol{name.data(), static_cast<unsigned>(name.size())};
    if (gnutls_alpn_set_protocols(handle_, &protocol, 1, GNUTLS_ALPN_MANDATORY) < 0) {
        return refused("ALPN");
    }
    if (server) {
        gnutls_certificate_server_set_request(handle_, GNUTLS_CERT_REQUIRE);
    }
    return {};
}

}  // namespace starling::quic
