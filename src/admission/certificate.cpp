#include "admission/admission.hpp"
#include "admission/role_codec.hpp"

#include <memory>
#include <utility>

namespace starling::admission {

namespace {

constexpr std::uint8_t certificate_mark = 0xC1;  // the form, and its version
constexpr std::uint8_t admits = 1;

/// What is signed: everything but the signature and the chain. The mark keeps a certificate's signature from being that
/// of anything else.
bytes signed_part(const certificate& of) {
    wire::byte_writer out;
    out.u8(certificate_mark);
    out.raw(of.mesh.bytes);
    out.raw(of.subject.bytes);
    out.u8(static_cast<std::uint8_t>(of.role));
    out.u8(of.may_admit ? admits : 0);
    out.u64(static_cast<std::uint64_t>(of.issued_s));
    out.u64(static_cast<std::uint64_t>(of.expires_s));
    out.raw(of.issuer.bytes);
    return out.take();
}

error malformed() {
    return fail(errc::malformed, "The certificate is damaged.");
}

/// `chained`: this is the certificate of an issuer, which the mesh itself has signed.
result<certificate> parse(wire::byte_reader& from, bool chained) {
    certificate out;
    const bool marked = from.u8() == certificate_mark;
    from.raw(out.mesh.bytes);
    from.raw(out.subject.bytes);
    const auto given_role = role_of(from.u8());
    const std::uint8_t flags = from.u8();
    out.issued_s = static_cast<unix_time_s>(from.u64());
    out.expires_s = static_cast<unix_time_s>(from.u64());
    from.raw(out.issuer.bytes);
    from.raw(out.signature);
    if (!from.ok() || !marked || flags > admits || !given_role) {
        return malformed();
    }
    out.role = *given_role;
    out.may_admit = flags == admits;
    if (chained) {
        return out;
    }
    const std::uint8_t delegated = from.u8();
    if (delegated == 1) {
        auto issuer = parse(from, true);
        if (!issuer) {
            return issuer.error();
        }
        out.issuer_certificate = std::make_shared<const certificate>(std::move(*issuer));
    } else if (delegated != 0) {
        return malformed();
    }
    return out;
}

void append(wire::byte_writer& out, const certificate& from) {
    out.raw(signed_part(from));
    out.raw(from.signature);
}

/// Everything but revocation, which the issuer and the subject are checked for by the caller.
result<void> check_one(const certificate& of, const node_id& mesh, unix_time_s now) {
    if (of.mesh != mesh) {
        return fail(errc::wrong_mesh, "The certificate is of another mesh (" + short_name(of.mesh) + "…).");
    }
    if (!keys::verify(of.issuer, signed_part(of), of.signature)) {
        return fail(errc::forged, "The certificate was not signed by who it says.");
    }
    if (now > of.expires_s + clock_skew_s) {
        return fail(errc::expired, "The certificate has expired; ask a member for a new invite.");
    }
    if (now < of.issued_s - clock_skew_s) {
        return fail(errc::not_yet_valid,
                    "The certificate is not valid yet: the clock of one of the two machines is wrong.");
    }
    return {};
}

}  // namespace

const char* to_string(role of) {
    return of == role::worker ? "worker" : "client";
}

std::optional<role> parse_role(std::string_view text) {
    if (text == "worker") {
        return role::worker;
    }
    return text == "client" ? std::optional(role::client) : std::nullopt;
}

bytes encode(const certificate& from) {
    wire::byte_writer out;
    append(out, from);
    out.u8(from.issuer_certificate ? 1 : 0);
    if (from.issuer_certificate) {
        append(out, *from.issuer_certificate);
    }
    return out.take();
}

result<certificate> parse_certificate(std::span<const std::uint8_t> bytes_of_it) {
    wire::byte_reader from(bytes_of_it);
    auto out = parse(from, false);
    if (out && !from.complete()) {
        return malformed();
    }
    return out;
}

certificate issue(const keys::key_pair& root, certificate what) {
    what.mesh = root.id();
    what.issuer = root.id();
    what.issuer_certificate = nullptr;
    what.signature = root.sign(signed_part(what));
    return what;
}

certificate issue(const keys::key_pair& delegate, const certificate& own, certificate what) {
    what.mesh = own.mesh;
    what.issuer = delegate.id();
    what.issuer_certificate = std::make_shared<const certificate>(own);
    what.signature = delegate.sign(signed_part(what));
    return what;
}

result<void> check(const certificate& of, const node_id& mesh, unix_time_s now, const revocation_list& revoked) {
    if (auto fine = check_one(of, mesh, now); !fine) {
        return fine;
    }
    if (revoked.revokes(of.subject, of.issued_s)) {
        return fail(errc::revoked, "The node was excluded from the mesh.");
    }
    if (of.issuer == mesh) {
        return {};
    }
    if (!of.issuer_certificate || of.issuer_certificate->subject != of.issuer ||
        of.issuer_certificate->issuer != mesh) {
        return fail(errc::forged, "The certificate was signed by somebody whom the mesh does not know.");
    }
    const certificate& issuer = *of.issuer_certificate;
    if (auto fine = check_one(issuer, mesh, now); !fine) {
        return fine;
    }
    if (!issuer.may_admit || of.may_admit) {
        return fail(errc::not_allowed, "The certificate was signed by a member who may not do that.");
    }
    if (revoked.revokes(issuer.subject, issuer.issued_s)) {
        return fail(errc::revoked, "The member who admitted the node was excluded from the mesh.");
    }
    return {};
}

}  // namespace starling::admission
