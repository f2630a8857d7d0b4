#include "discovery/beacon.hpp"

#include "base/shown_name.hpp"
#include "keys/digest.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <string_view>

namespace starling::discovery {

namespace {

constexpr std::string_view magic = "starling";
constexpr std::uint8_t version = 1;
constexpr std::uint8_t wants_answer_flag = 1;
constexpr std::string_view tag_domain = "starling lan";
constexpr std::string_view signature_domain("starling lan beacon\0", 20);  // keeps it from being that of anything else
constexpr std::size_t signature_bytes = std::tuple_size_v<keys::signature>;

wire::bytes with_domain(std::span<const std::uint8_t> what) {
    wire::bytes out(signature_domain.begin(), signature_domain.end());
    out.insert(out.end(), what.begin(), what.end());
    return out;
}

error malformed() {
    return fail(wire::errc::malformed, "A beacon on the local network is damaged.");
}

}  // namespace

mesh_tag tag_of(const node_id& mesh) {
    const auto whole = keys::sha256(tag_domain, {mesh.bytes});
    mesh_tag out{};
    std::copy_n(whole.begin(), out.size(), out.begin());
    return out;
}

wire::bytes encode(const beacon& from, const keys::key_pair& by) {
    wire::byte_writer out;
    out.raw({reinterpret_cast<const std::uint8_t*>(magic.data()), magic.size()});
    out.u8(version);
    out.u8(static_cast<std::uint8_t>(from.kind));
    out.u8(from.wants_answer ? wants_answer_flag : 0);
    out.raw(from.kind == beacon_kind::member ? from.mesh : mesh_tag{});
    out.raw(by.id().bytes);
    out.u16(from.port);
    out.u64(static_cast<std::uint64_t>(from.sent_s));
    out.text(shown_name(from.name, max_name_bytes));
    out.raw(by.sign(with_domain(out.written())));
    return out.take();
}

result<beacon> parse_beacon(std::span<const std::uint8_t> datagram) {
    if (datagram.size() <= signature_bytes || datagram.size() > max_beacon_bytes) {
        return malformed();
    }
    wire::byte_reader from(datagram.first(datagram.size() - signature_bytes));
    std::array<std::uint8_t, magic.size()> mark{};
    from.raw(mark);
    if (!std::equal(mark.begin(), mark.end(), magic.begin())) {
        return malformed();
    }
    if (from.u8() != version) {
        return fail(wire::errc::unsupported, "A beacon on the local network is of a later version of Starling.");
    }
    beacon out;
    const std::uint8_t kind = from.u8();
    const std::uint8_t flags = from.u8();
    from.raw(out.mesh);
    from.raw(out.node.bytes);
    out.port = from.u16();
    out.sent_s = static_cast<unix_time_s>(from.u64());
    out.name = shown_name(from.text(max_name_bytes), max_name_bytes);
    const bool known = kind == static_cast<std::uint8_t>(beacon_kind::member) ||
                       kind == static_cast<std::uint8_t>(beacon_kind::seeking);
    if (!from.ok() || !known || out.port == 0) {
        return malformed();
    }
    out.kind = static_cast<beacon_kind>(kind);
    out.wants_answer = (flags & wants_answer_flag) != 0;
    if (out.kind == beacon_kind::seeking) {
        out.mesh = {};
    }
    return out;
}

bool is_signed(std::span<const std::uint8_t> datagram, const beacon& parsed) {
    if (datagram.size() <= signature_bytes) {
        return false;
    }
    const auto what = datagram.first(datagram.size() - signature_bytes);
    keys::signature made{};
    std::copy_n(datagram.begin() + static_cast<std::ptrdiff_t>(what.size()), made.size(), made.begin());
    return keys::verify(parsed.node, with_domain(what), made);
}

bool is_fresh(const beacon& of, unix_time_s now) {
    // No difference of the two: what a stranger writes into sent_s may be any number.
    return of.sent_s >= now - clock_skew_s && of.sent_s <= now + clock_skew_s;
}

}  // namespace starling::discovery
