// Letting others in, and putting them out.
#include "base/unix_time.hpp"
#include "node/mesh.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

namespace starling::node {

result<admission::certificate> mesh::admit(const admission::invite::secret_bytes& secret, const node_id& bearer) {
    const auto now = unix_time_s();
    const auto granted = memory_->invites.redeem(secret, bearer, now);
    if (!granted) {
        return granted.error();
    }
    // Used up on disk before it is answered: a crash must not make it good for another one.
    if (auto saved = save(); !saved) {
        with_.log->error("{}", saved.error().message);
        return fail(admission::errc::not_allowed, "The inviting node could not keep its books; try again later.");
    }
    return certify(bearer, *granted);
}

admission::certificate mesh::certify(const node_id& bearer, admission::grant as) const {
    admission::certificate what;
    what.subject = bearer;
    what.role = as.role;
    what.may_admit = as.may_admit && root_.has_value();  // a delegate makes no further ones
    what.issued_s = service_->issue_time(bearer, unix_time_s());
    what.expires_s = what.issued_s + certificate_s;
    with_.log->info("{} joins as a {}", short_name(bearer), admission::to_string(as.role));
    return root_ ? admission::issue(*root_, what) : admission::issue(with_.self, memory_->certificate, what);
}

result<api::written_invite> mesh::invite(std::string_view role, std::int64_t expires_s, bool may_invite) {
    const auto as = admission::parse_role(role);
    if (!as) {
        return fail(engine::errc::invalid_request, "A role is worker or client.");
    }
    if (!memory_->certificate.may_admit) {
        return fail(engine::errc::invalid_request,
                    "This node may not invite others; do it where the mesh was begun (starling peers shows it).");
    }
    if (may_invite && !root_) {
        return fail(engine::errc::invalid_request,
                    "Only the node that began the mesh can let others invite; ask there (--may-invite).");
    }
    if (addresses_.empty()) {
        return fail(engine::errc::invalid_request,
                    "Nobody can reach this node; start it with --peer-bind ADDRESS to invite others.");
    }
    admission::invite what{.mesh = memory_->certificate.mesh, .inviter = with_.self.id(), .role = *as};
    what.expires_s = unix_time_s() + expires_s;
    what.addresses = addresses_;
    what.may_admit = may_invite;
    what.addresses.resize(std::min(what.addresses.size(), admission::max_invite_addresses));
    // Half of a new key's secret half: random bytes from the system.
    const auto random = keys::key_pair::generate();
    std::copy_n(random.secret().begin(), what.secret.size(), what.secret.begin());
    if (auto added = memory_->invites.add(what, unix_time_s()); !added) {
        return fail(engine::errc::invalid_request, added.error().message);
    }
    if (auto saved = save(); !saved) {
        return fail(engine::errc::unavailable, saved.error().message);
    }
    api::written_invite out;
    out.text = admission::to_text(what);
    out.role = admission::to_string(*as);
    out.expires_unix_s = what.expires_s;
    out.addresses = what.addresses;
    out.this_machine_only = std::all_of(what.addresses.begin(), what.addresses.end(), [](const std::string& one) {
        const auto where = peers::parse_address(one);
        return where && where->address().is_loopback();
    });
    return out;
}

result<void> mesh::revoke(std::string_view text) {
    const auto whom = parse_node_id(text);
    if (!whom) {
        return fail(engine::errc::invalid_request,
                    "That is not a node id; it has 64 hex digits (starling peers --json shows them).");
    }
    if (*whom == with_.self.id()) {
        return fail(engine::errc::invalid_request, "A node cannot put itself out; stop it instead.");
    }
    if (!memory_->certificate.may_admit) {
        return fail(engine::errc::invalid_request, "This node may not put others out; do it where the mesh was begun.");
    }
    const auto now = unix_time_s();
    service_->revoke(root_ ? admission::revoke(*root_, *whom, now)
                           : admission::revoke(with_.self, memory_->certificate, *whom, now));
    if (auto saved = save(); !saved) {
        return fail(engine::errc::unavailable, saved.error().message);
    }
    return {};
}

}  // namespace starling::node
