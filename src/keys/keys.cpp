#include "keys/keys.hpp"

#include <nettle/eddsa.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace starling::keys {

static_assert(std::tuple_size_v<key_pair::seed> == ED25519_KEY_SIZE && node_id::size == ED25519_KEY_SIZE);
static_assert(std::tuple_size_v<signature> == ED25519_SIGNATURE_SIZE);

key_pair::key_pair(const seed& secret) : secret_(secret) {
    nettle_ed25519_sha512_public_key(id_.bytes.data(), secret_.data());
}

key_pair key_pair::generate() {
    seed secret{};
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
        throw std::system_error(errno, std::system_category(), "the system gave no random bytes for a key");
    }
    return key_pair(secret);
}

signature key_pair::sign(std::span<const std::uint8_t> message) const {
    signature made{};
    nettle_ed25519_sha512_sign(id_.bytes.data(), secret_.data(), message.size(), message.data(), made.data());
    return made;
}

bool verify(const node_id& signer, std::span<const std::uint8_t> message, const signature& made) {
    return nettle_ed25519_sha512_verify(signer.bytes.data(), message.size(), message.data(), made.data()) == 1;
}

}  // namespace starling::keys
