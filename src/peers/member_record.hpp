// What a member says about itself in its record: how it is called, where it listens, and its certificate, so that
// whoever hears of it by gossip can see for itself that it belongs to the mesh. Pure, fuzzed.
#pragma once

#include "admission/admission.hpp"
#include "base/result.hpp"
#include "keys/keys.hpp"
#include "membership/membership.hpp"

#include <string>
#include <vector>

namespace starling::peers {

inline constexpr std::size_t max_name_bytes = 64;
inline constexpr std::size_t max_software_bytes = 24;
inline constexpr std::size_t max_addresses = 4;  // of one member; more do not fit beside a delegated certificate

struct description {
    std::string name;
    std::string software;                // the version of Starling
    std::vector<std::string> addresses;  // as "host:port", for QUIC
    admission::certificate certificate;
};

/// At most membership::max_payload_bytes; names are cut, and addresses left out, where they would not fit.
membership::byte_string encode(const description& from);

/// Error: wire::errc::malformed.
result<description> parse_description(std::span<const std::byte> from);

/// Signs records of the owner of `keys`.
membership::signer make_signer(keys::key_pair keys);

/// The record is of who it says, and that node is a member now. Errors: wire::errc::malformed, those of
/// admission::check, and admission::errc::forged.
result<description> verify(const membership::record& heard, const node_id& mesh, admission::unix_time_s now,
                           const admission::revocation_list& revoked);

}  // namespace starling::peers
