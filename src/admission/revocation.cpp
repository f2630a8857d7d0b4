#include "admission/admission.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace starling::admission {

namespace {

constexpr std::uint8_t revocation_mark = 0xD1;  // the form, and its version

bytes signed_part(const revocation& of) {
    wire::byte_writer out;
    out.u8(revocation_mark);
    out.raw(of.mesh.bytes);
    out.raw(of.subject.bytes);
    out.u64(static_cast<std::uint64_t>(of.at_s));
    out.raw(of.issuer.bytes);
    return out.take();
}

error malformed() {
    return fail(errc::malformed, "The revocation is damaged.");
}

}  // namespace

bytes encode(const revocation& from) {
    wire::byte_writer out;
    out.raw(signed_part(from));
    out.raw(from.signature);
    out.blob(from.issuer_certificate ? encode(*from.issuer_certificate) : bytes());
    return out.take();
}

result<revocation> parse_revocation(std::span<const std::uint8_t> bytes_of_it) {
    wire::byte_reader from(bytes_of_it);
    revocation out;
    const bool marked = from.u8() == revocation_mark;
    from.raw(out.mesh.bytes);
    from.raw(out.subject.bytes);
    out.at_s = static_cast<unix_time_s>(from.u64());
    from.raw(out.issuer.bytes);
    from.raw(out.signature);
    const auto chain = from.blob(max_certificate_bytes);
    if (!marked || !from.complete()) {
        return malformed();
    }
    if (!chain.empty()) {
        auto issuer = parse_certificate(chain);
        if (!issuer) {
            return malformed();
        }
        out.issuer_certificate = std::make_shared<const certificate>(std::move(*issuer));
    }
    return out;
}

revocation revoke(const keys::key_pair& root, const node_id& subject, unix_time_s now) {
    revocation out{.mesh = root.id(), .subject = subject, .at_s = now, .issuer = root.id()};
    out.signature = root.sign(signed_part(out));
    return out;
}

revocation revoke(const keys::key_pair& delegate, const certificate& own, const node_id& subject, unix_time_s now) {
    revocation out{.mesh = own.mesh, .subject = subject, .at_s = now, .issuer = delegate.id()};
    out.issuer_certificate = std::make_shared<const certificate>(own);
    out.signature = delegate.sign(signed_part(out));
    return out;
}

result<bool> revocation_list::add(const revocation& heard, unix_time_s now) {
    if (heard.mesh != mesh_) {
        return fail(errc::wrong_mesh, "The revocation is of another mesh.");
    }
    if (heard.at_s > now + clock_skew_s) {
        return fail(errc::not_yet_valid, "The revocation is from the future.");
    }
    const auto known = by_subject_.find(heard.subject);
    if (known != by_subject_.end() && known->second.at_s >= heard.at_s) {
        return false;
    }
    if (!keys::verify(heard.issuer, signed_part(heard), heard.signature)) {
        return fail(errc::forged, "The revocation was not signed by who it says.");
    }
    if (heard.issuer != mesh_) {
        if (!heard.issuer_certificate || heard.issuer_certificate->subject != heard.issuer ||
            !heard.issuer_certificate->may_admit) {
            return fail(errc::not_allowed, "The revocation was signed by a member who may not do that.");
        }
        if (auto fine = check(*heard.issuer_certificate, mesh_, now, *this); !fine) {
            return fine.error();
        }
    }
    if (known == by_subject_.end() && by_subject_.size() >= max_revocations) {
        return fail(errc::full, "The mesh has as many revocations as a node keeps.");
    }
    by_subject_.insert_or_assign(heard.subject, heard);
    return true;
}

bool revocation_list::revokes(const node_id& subject, unix_time_s issued_s) const {
    const auto found = by_subject_.find(subject);
    return found != by_subject_.end() && issued_s <= found->second.at_s;
}

unix_time_s revocation_list::issue_time(const node_id& subject, unix_time_s now) const {
    const auto found = by_subject_.find(subject);
    return found == by_subject_.end() ? now : std::max(now, found->second.at_s + 1);
}

std::vector<revocation> revocation_list::all() const {
    std::vector<revocation> out;
    out.reserve(by_subject_.size());
    for (const auto& [subject, one] : by_subject_) {
        out.push_back(one);
    }
    return out;
}

}  // namespace starling::admission
