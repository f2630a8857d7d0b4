#include "peers/member_record.hpp"

#include "membership/limits.hpp"
#include "peers/octets.hpp"
#include "wire/byte_codec.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <utility>

namespace starling::peers {

namespace {

constexpr std::uint8_t description_mark = 0x51;  // the form, and its version
constexpr std::uint8_t record_mark = 0xE1;       // keeps a record's signature from being that of anything else

/// No further than `most` bytes, and not through the middle of a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t most) {
    constexpr unsigned char continues = 0x80;
    constexpr unsigned char top_bits = 0xC0;
    if (text.size() <= most) {
        return text;
    }
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & top_bits) == continues) {
        --end;
    }
    return text.substr(0, end);
}

wire::bytes signed_part(const membership::record& of) {
    wire::byte_writer out;
    out.u8(record_mark);
    out.raw(of.id.bytes);
    out.u64(of.incarnation);
    out.u8(static_cast<std::uint8_t>(of.kind));
    out.blob(as_octets(of.payload));
    return out.take();
}

}  // namespace

membership::byte_string encode(const description& from) {
    wire::byte_writer head;
    head.u8(description_mark);
    head.blob(admission::encode(from.certificate));
    head.text(cut(from.software, max_software_bytes));
    head.text(cut(from.name, max_name_bytes));
    wire::byte_writer addresses;
    std::uint8_t count = 0;
    for (const std::string& address : from.addresses) {
        constexpr std::size_t framing = 3;  // a length, and the count before all of them
        const bool fits = head.written().size() + addresses.written().size() + address.size() + framing <=
                          membership::max_payload_bytes;
        if (count < max_addresses && address.size() <= admission::max_address_bytes && fits) {
            addresses.text(address);
            ++count;
        }
    }
    head.u8(count);
    head.raw(addresses.written());
    return as_byte_string(head.written());
}

result<description> parse_description(std::span<const std::byte> bytes_of_it) {
    const auto malformed = fail(wire::errc::malformed, "What a member says about itself is damaged.");
    wire::byte_reader from(as_octets(bytes_of_it));
    const bool marked = from.u8() == description_mark;
    const auto certificate = from.blob(admission::max_certificate_bytes);
    description out;
    out.software = from.text(max_software_bytes);
    out.name = from.text(max_name_bytes);
    const std::size_t addresses = from.u8();
    for (std::size_t i = 0; i < addresses && from.ok(); ++i) {
        out.addresses.push_back(from.text(admission::max_address_bytes));
    }
    if (!marked || addresses > max_addresses || !from.complete()) {
        return malformed;
    }
    auto parsed = admission::parse_certificate(certificate);
    if (!parsed) {
        return malformed;
    }
    out.certificate = std::move(*parsed);
    return out;
}

membership::signer make_signer(keys::key_pair keys) {
    return [keys](const membership::record& unsigned_record) {
        return as_byte_string(keys.sign(signed_part(unsigned_record)));
    };
}

result<description> verify(const membership::record& heard, const node_id& mesh, admission::unix_time_s now,
                           const admission::revocation_list& revoked) {
    auto said = parse_description(heard.payload);
    if (!said) {
        return said;
    }
    keys::signature made{};
    if (heard.signature.size() != made.size() || said->certificate.subject != heard.id) {
        return fail(admission::errc::forged, "A record was not signed by the node that it is about.");
    }
    std::copy_n(as_octets(heard.signature).begin(), made.size(), made.begin());
    if (!keys::verify(heard.id, signed_part(heard), made)) {
        return fail(admission::errc::forged, "A record was not signed by the node that it is about.");
    }
    if (auto fine = admission::check(said->certificate, mesh, now, revoked); !fine) {
        return fine.error();
    }
    return said;
}

}  // namespace starling::peers
