#include "keys/digest.hpp"

#include <nettle/sha2.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace starling::keys {

static_assert(std::tuple_size_v<digest> == SHA256_DIGEST_SIZE);

digest sha256(std::string_view domain, std::initializer_list<std::span<const std::uint8_t>> parts) {
    constexpr std::uint8_t end_of_domain = 0;
    sha256_ctx context{};
    sha256_init(&context);
    sha256_update(&context, domain.size(), reinterpret_cast<const std::uint8_t*>(domain.data()));
    sha256_update(&context, sizeof end_of_domain, &end_of_domain);
    for (const auto part : parts) {
        sha256_update(&context, part.size(), part.data());
    }
    digest out{};
    sha256_digest(&context, out.size(), out.data());
    return out;
}

void fill_random(std::span<std::uint8_t> into) {
    if (::getrandom(into.data(), into.size(), 0) != static_cast<ssize_t>(into.size())) {
        throw std::system_error(errno, std::system_category(), "the system gave no random bytes");
    }
}

}  // namespace starling::keys
