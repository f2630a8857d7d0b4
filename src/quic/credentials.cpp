#include "quic/credentials.hpp"

#include "transport/errc.hpp"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <array>
#include <cstring>
#include <string>

namespace starling::quic {

namespace {

template <class T, void (*Free)(T)>
struct handle {
    handle() = default;
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    ~handle() {
        if (value != nullptr) {
            Free(value);
        }
    }
    T value = nullptr;
};

using private_key = handle<gnutls_x509_privkey_t, gnutls_x509_privkey_deinit>;
using certificate = handle<gnutls_x509_crt_t, gnutls_x509_crt_deinit>;
using public_key = handle<gnutls_pubkey_t, gnutls_pubkey_deinit>;

/// The first call that fails gives its name; the rest are not made.
class steps {
  public:
    template <class... Args>
    void call(const char* name, int (*function)(Args...), std::type_identity_t<Args>... args) {
        if (!failed_) {
            const int status = function(args...);
            if (status < 0) {
                failed_ = std::string(name) + ": " + gnutls_strerror(status);
            }
        }
    }
    const std::optional<std::string>& failed() const { return failed_; }

  private:
    std::optional<std::string> failed_;
};

void fill(steps& run, private_key& key, certificate& crt, const keys::key_pair& keys) {
    auto secret = keys.secret();
    auto pub = keys.id().bytes;
    const gnutls_datum_t k{secret.data(), static_cast<unsigned>(secret.size())};
    const gnutls_datum_t x{pub.data(), static_cast<unsigned>(pub.size())};
    run.call("privkey_init", gnutls_x509_privkey_init, &key.value);
    run.call("privkey_import", gnutls_x509_privkey_import_ecc_raw, key.value, GNUTLS_ECC_CURVE_ED25519, &x, nullptr,
             &k);
    run.call("crt_init", gnutls_x509_crt_init, &crt.value);
    run.call("crt_set_version", gnutls_x509_crt_set_version, crt.value, 3U);
    const std::uint8_t serial = 1;
    run.call("crt_set_serial", gnutls_x509_crt_set_serial, crt.value, static_cast<const void*>(&serial), sizeof serial);
    run.call("crt_set_activation_time", gnutls_x509_crt_set_activation_time, crt.value, 0);
    run.call("crt_set_expiration_time", gnutls_x509_crt_set_expiration_time, crt.value,
             GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION);
    run.call("crt_set_key", gnutls_x509_crt_set_key, crt.value, key.value);
    run.call("crt_sign", gnutls_x509_crt_sign2, crt.value, crt.value, key.value, GNUTLS_DIG_SHA512, 0U);
}

}  // namespace

result<std::shared_ptr<const credentials>> credentials::create(const keys::key_pair& keys) {
    private_key key;
    certificate crt;
    steps run;
    fill(run, key, crt, keys);
    gnutls_certificate_credentials_t made = nullptr;
    run.call("allocate_credentials", gnutls_certificate_allocate_credentials, &made);
    auto out = std::shared_ptr<const credentials>(new credentials(made));
    run.call("set_x509_key", gnutls_certificate_set_x509_key, made, &crt.value, 1, key.value);
    if (run.failed()) {
        return fail(transport::errc::internal, "GnuTLS made no certificate of this node's key: " + *run.failed());
    }
    return out;
}

credentials::~credentials() {
    if (handle_ != nullptr) {
        gnutls_certificate_free_credentials(handle_);
    }
}

std::optional<node_id> peer_of(gnutls_session_t session) {
    unsigned count = 0;
    const gnutls_datum_t* shown = gnutls_certificate_get_peers(session, &count);
    if (shown == nullptr || count == 0) {
        return std::nullopt;
    }
    public_key key;
    if (gnutls_pubkey_init(&key.value) < 0 ||
        gnutls_pubkey_import_x509_raw(key.value, &shown[0], GNUTLS_X509_FMT_DER, 0) < 0 ||
        gnutls_pubkey_get_pk_algorithm(key.value, nullptr) != GNUTLS_PK_EDDSA_ED25519) {
        return std::nullopt;
    }
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t x{};
    if (gnutls_pubkey_export_ecc_raw2(key.value, &curve, &x, nullptr, 0) < 0) {
        return std::nullopt;
    }
    std::optional<node_id> out;
    if (curve == GNUTLS_ECC_CURVE_ED25519 && x.size == node_id::size) {
        out.emplace();
        std::memcpy(out->bytes.data(), x.data, x.size);
    }
    gnutls_free(x.data);
    return out;
}

}  // namespace starling::quic
