#include "admission/admission.hpp"
#include "admission/role_codec.hpp"
#include "wire/base64url.hpp"

#include <nettle/sha2.h>

#include <algorithm>
#include <utility>

namespace starling::admission {

namespace {

constexpr std::string_view prefix = "starling:";
constexpr std::uint8_t invite_mark = 0x01;  // the form, and its version
constexpr std::uint8_t book_mark = 0xB1;
constexpr std::uint8_t is_used = 1;  // flags of an entry of the book
constexpr std::uint8_t makes_delegate = 2;
constexpr std::size_t check_bytes = 4;  // one slip in four billion goes unnoticed
constexpr std::size_t max_invite_text = 2'048;

invite_book::secret_hash hash_of(std::span<const std::uint8_t> what) {
    static_assert(std::tuple_size_v<invite_book::secret_hash> == SHA256_DIGEST_SIZE);
    invite_book::secret_hash out{};
    sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, what.size(), what.data());
    sha256_digest(&context, out.size(), out.data());
    return out;
}

error malformed() {
    return fail(
        errc::malformed,
        "That is not an invite, or a part of it is missing; copy it whole: one word that begins with starling:");
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto begin = text.find_first_not_of(space);
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

}  // namespace

std::string to_text(const invite& from) {
    wire::byte_writer out;
    out.u8(invite_mark);
    out.raw(from.mesh.bytes);
    out.raw(from.inviter.bytes);
    out.u8(static_cast<std::uint8_t>(from.role));
    out.u64(static_cast<std::uint64_t>(from.expires_s));
    out.raw(from.secret);
    out.u8(static_cast<std::uint8_t>(std::min(from.addresses.size(), max_invite_addresses)));
    for (std::size_t i = 0; i < std::min(from.addresses.size(), max_invite_addresses); ++i) {
        out.text(std::string_view(from.addresses[i]).substr(0, max_address_bytes));
    }
    const auto check = hash_of(out.written());
    out.raw(std::span(check).first(check_bytes));
    return std::string(prefix) + wire::to_base64url(out.written());
}

result<invite> parse_invite(std::string_view text) {
    text = trimmed(text);
    if (!text.starts_with(prefix) || text.size() > max_invite_text) {
        return malformed();
    }
    const auto whole = wire::from_base64url(text.substr(prefix.size()));
    if (!whole || whole->size() < check_bytes) {
        return malformed();
    }
    const auto body = std::span(*whole).first(whole->size() - check_bytes);
    const auto check = hash_of(body);
    if (!std::equal(check.begin(), check.begin() + check_bytes, whole->end() - check_bytes)) {
        return malformed();
    }
    wire::byte_reader from(body);
    if (from.u8() != invite_mark) {
        return fail(errc::malformed, "The invite was written by a newer Starling; update this one.");
    }
    invite out;
    from.raw(out.mesh.bytes);
    from.raw(out.inviter.bytes);
    const auto given_role = role_of(from.u8());
    out.expires_s = static_cast<unix_time_s>(from.u64());
    from.raw(out.secret);
    const std::size_t addresses = from.u8();
    for (std::size_t i = 0; i < addresses && from.ok(); ++i) {
        out.addresses.push_back(from.text(max_address_bytes));
    }
    if (!from.complete() || !given_role || addresses > max_invite_addresses) {
        return malformed();
    }
    out.role = *given_role;
    return out;
}

result<void> invite_book::add(const invite& written, unix_time_s now) {
    std::erase_if(entries_, [now](const entry& one) { return one.expires_s + clock_skew_s < now; });
    if (entries_.size() >= max_open_invites) {
        return fail(errc::full, "There are " + std::to_string(max_open_invites) +
                                    " invites already that have not expired; wait until some have.");
    }
    entries_.push_back({.hash = hash_of(written.secret),
                        .role = written.role,
                        .expires_s = written.expires_s,
                        .used_by = {},
                        .may_admit = written.may_admit});
    return {};
}

result<grant> invite_book::redeem(const invite::secret_bytes& secret, const node_id& bearer, unix_time_s now) {
    const auto hash = hash_of(secret);
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const entry& one) { return one.hash == hash; });
    if (found == entries_.end()) {
        return fail(errc::unknown_invite, "This node has not written that invite; ask for a new one.");
    }
    if (found->used_by && *found->used_by != bearer) {
        return fail(errc::used, "The invite was used by another machine already; ask for a new one.");
    }
    if (now > found->expires_s) {
        return fail(errc::expired, "The invite has expired; ask for a new one.");
    }
    found->used_by = bearer;
    return grant{.role = found->role, .may_admit = found->may_admit};
}

void invite_book::forget(const node_id& bearer) {
    std::erase_if(entries_, [&](const entry& one) { return one.used_by == bearer; });
}

bytes encode(const invite_book& from) {
    wire::byte_writer out;
    out.u8(book_mark);
    out.u32(static_cast<std::uint32_t>(from.entries().size()));
    for (const auto& one : from.entries()) {
        out.raw(one.hash);
        out.u8(static_cast<std::uint8_t>(one.role));
        out.u64(static_cast<std::uint64_t>(one.expires_s));
        out.u8((one.used_by ? is_used : 0) | (one.may_admit ? makes_delegate : 0));
        out.raw(one.used_by.value_or(node_id{}).bytes);
    }
    return out.take();
}

result<invite_book> parse_invite_book(std::span<const std::uint8_t> bytes_of_it) {
    const auto damaged = fail(errc::malformed, "The list of invites is damaged.");
    wire::byte_reader from(bytes_of_it);
    const bool marked = from.u8() == book_mark;
    const std::size_t count = from.u32();
    if (!marked || count > max_open_invites) {
        return damaged;
    }
    std::vector<invite_book::entry> entries;
    for (std::size_t i = 0; i < count && from.ok(); ++i) {
        invite_book::entry one;
        from.raw(one.hash);
        const auto given_role = role_of(from.u8());
        one.expires_s = static_cast<unix_time_s>(from.u64());
        const std::uint8_t flags = from.u8();
        node_id by;
        from.raw(by.bytes);
        if (!given_role || flags > (is_used | makes_delegate)) {
            return damaged;
        }
        one.role = *given_role;
        one.used_by = (flags & is_used) != 0 ? std::optional(by) : std::nullopt;
        one.may_admit = (flags & makes_delegate) != 0;
        entries.push_back(one);
    }
    if (!from.complete()) {
        return damaged;
    }
    invite_book out;
    out.restore(std::move(entries));
    return out;
}

}  // namespace starling::admission
