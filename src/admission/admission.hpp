// Who belongs to a mesh: certificates, invites and revocations.
//
// A mesh is an Ed25519 root key; its public half is the mesh id. A member holds a certificate for its node key, signed
// by the root or by a delegate, which is a member whose own certificate, signed by the root, says that it may admit. An
// invite lets its bearer ask whoever wrote it for a certificate, once and until it expires; it opens nothing by itself.
// A revocation ends a certificate for good, everywhere it is heard of.
//
// Pure: times are passed in as seconds since 1970. Called by: peers, node. Fuzzed: every parse function takes any
// bytes.
#pragma once

#include "admission/errc.hpp"
#include "base/node_id.hpp"
#include "keys/keys.hpp"
#include "wire/byte_codec.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace starling::admission {

using wire::bytes;
using unix_time_s = std::int64_t;

/// How far clocks of members may be apart.
inline constexpr unix_time_s clock_skew_s = 300;
inline constexpr std::size_t max_certificate_bytes = 512;
inline constexpr std::size_t max_invite_addresses = 8;
inline constexpr std::size_t max_address_bytes = 64;    // of one address as text
inline constexpr std::size_t max_open_invites = 1'000;  // of one member
inline constexpr std::size_t max_revocations = 10'000;  // of one mesh

enum class role : std::uint8_t { worker = 1, client = 2 };  // a worker may serve and ask, a client may ask

const char* to_string(role of);
std::optional<role> parse_role(std::string_view text);

struct certificate {
    node_id mesh;
    node_id subject;
    admission::role role = role::client;
    bool may_admit = false;
    unix_time_s issued_s = 0;
    unix_time_s expires_s = 0;
    node_id issuer;  // the mesh itself, or a delegate
    keys::signature signature{};
    std::shared_ptr<const certificate> issuer_certificate;  // of a delegate; null when the mesh has signed
};

bytes encode(const certificate& from);

/// Checks the form alone. Error: errc::malformed.
result<certificate> parse_certificate(std::span<const std::uint8_t> from);

/// Signs for the mesh with its root key.
certificate issue(const keys::key_pair& root, certificate what);

/// Signs for the mesh as a delegate, whose own certificate this is.
certificate issue(const keys::key_pair& delegate, const certificate& own, certificate what);

class revocation_list;

/// May `of.subject` be a member of `mesh` now? Errors: wrong_mesh, forged, expired, not_yet_valid, revoked, not_allowed
/// (the issuer may not admit).
result<void> check(const certificate& of, const node_id& mesh, unix_time_s now, const revocation_list& revoked);

struct revocation {
    node_id mesh;
    node_id subject;
    unix_time_s at_s = 0;
    node_id issuer;
    keys::signature signature{};
    std::shared_ptr<const certificate> issuer_certificate;
};

bytes encode(const revocation& from);
result<revocation> parse_revocation(std::span<const std::uint8_t> from);
revocation revoke(const keys::key_pair& root, const node_id& subject, unix_time_s now);
revocation revoke(const keys::key_pair& delegate, const certificate& own, const node_id& subject, unix_time_s now);

/// Every certificate of a subject that was issued up to its revocation is void; one issued later counts again.
class revocation_list {
  public:
    explicit revocation_list(const node_id& mesh) : mesh_(mesh) {}

    /// True when it says something new: then it is worth passing on. Errors: wrong_mesh, forged, not_allowed, full.
    result<bool> add(const revocation& heard, unix_time_s now);

    bool revokes(const node_id& subject, unix_time_s issued_s) const;

    /// When a certificate for `subject` that counts may be issued: `now`, or a second later where it was revoked in
    /// this very one.
    unix_time_s issue_time(const node_id& subject, unix_time_s now) const;

    std::vector<revocation> all() const;

  private:
    node_id mesh_;
    std::unordered_map<node_id, revocation> by_subject_;
};

struct invite {
    using secret_bytes = std::array<std::uint8_t, 16>;

    node_id mesh;
    node_id inviter;
    admission::role role = role::client;
    unix_time_s expires_s = 0;
    secret_bytes secret{};               // known to the inviter and whoever has the invite
    std::vector<std::string> addresses;  // of the inviter, as "host:port"
    bool may_admit = false;              // makes a delegate; known to the inviter alone
};

/// What the bearer of an invite may become.
struct grant {
    admission::role role = role::client;
    bool may_admit = false;
};

/// One word that can be copied, begins with "starling:" and notices a slip of the hand.
std::string to_text(const invite& from);

/// White space around it is ignored. Errors: malformed (with what to do).
result<invite> parse_invite(std::string_view text);

/// The invites that a member has written and that nobody has used yet. Holds hashes of their secrets, so that reading
/// the file of this book lets nobody in.
class invite_book {
  public:
    using secret_hash = std::array<std::uint8_t, 32>;

    struct entry {
        secret_hash hash{};
        admission::role role = role::client;
        unix_time_s expires_s = 0;
        std::optional<node_id> used_by;
        bool may_admit = false;
    };

    /// Forgets what has expired first. Error: full.
    result<void> add(const invite& written, unix_time_s now);

    /// The same node may ask again, in case the answer was lost on the way; nobody else.
    /// Errors: unknown_invite, expired, used.
    result<grant> redeem(const invite::secret_bytes& secret, const node_id& bearer, unix_time_s now);

    /// Invites that this node has used are good for nothing any more: it was put out.
    void forget(const node_id& bearer);

    /// To keep over a restart.
    const std::vector<entry>& entries() const { return entries_; }
    void restore(std::vector<entry> kept) { entries_ = std::move(kept); }

  private:
    std::vector<entry> entries_;
};

bytes encode(const invite_book& from);
result<invite_book> parse_invite_book(std::span<const std::uint8_t> from);

}  // namespace starling::admission
