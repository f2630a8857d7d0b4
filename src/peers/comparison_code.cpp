#include "peers/comparison_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace starling::peers {

commitment commit_to(const nonce& a, const introduction_pair& who) {
    return keys::sha256("starling ask", {a, who.newcomer.bytes, who.member.bytes});
}

std::string comparison_code(const introduction_pair& who, const node_id& mesh, const nonce& of_newcomer,
                            const nonce& of_member) {
    constexpr std::uint64_t codes = 1'000'000;
    constexpr std::uint64_t half = 1'000;
    const auto hash =
        keys::sha256("starling ask code", {who.newcomer.bytes, who.member.bytes, mesh.bytes, of_newcomer, of_member});
    std::uint64_t number = 0;  // 64 bits: no code is noticeably likelier than another
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number = number << 8U | hash[i];
    }
    number %= codes;
    return fmt::format("{:03} {:03}", number / half, number % half);
}

std::string digits_of(std::string_view typed) {
    std::string out;
    std::copy_if(typed.begin(), typed.end(), std::back_inserter(out), [](char c) { return c >= '0' && c <= '9'; });
    return out;
}

}  // namespace starling::peers
