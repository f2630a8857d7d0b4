// library: admission
// What strangers send before they are let in: frames, certificates, revocations, invites; and the invite book's file.
// The first byte says which.
#include "admission/admission.hpp"
#include "wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

using namespace starling;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Whatever is taken has one form only.
template <class Parse>
void parse_and_encode(std::span<const std::uint8_t> input, Parse parse) {
    if (const auto got = parse(input)) {
        const auto again = admission::encode(*got);
        require(std::equal(again.begin(), again.end(), input.begin(), input.end()));
    }
}

void read_frames(std::span<const std::uint8_t> input) {
    constexpr std::size_t limit = 64;
    constexpr std::size_t piece = 7;
    wire::frame_reader reader(limit);
    while (!input.empty()) {
        const auto part = input.first(std::min(piece, input.size()));
        input = input.subspan(part.size());
        reader.push(part);
        for (;;) {
            const auto frame = reader.next();
            if (!frame) {
                return;
            }
            if (!*frame) {
                break;
            }
            require((*frame)->size() <= limit);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::span input(data + 1, size - 1);
    switch (data[0] % 5) {
        case 0: parse_and_encode(input, admission::parse_certificate); break;
        case 1: parse_and_encode(input, admission::parse_revocation); break;
        case 2: {
            const auto book = admission::parse_invite_book(input);
            require(!book || book->entries().size() <= admission::max_open_invites);
            break;
        }
        case 3: {
            const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
            const auto invite = admission::parse_invite(text);
            require(!invite || invite->addresses.size() <= admission::max_invite_addresses);
            break;
        }
        default: read_frames(input);
    }
    return 0;
}
