#include "models/sha256.hpp"

#include "base/hex.hpp"

#include <nettle/sha2.h>

#include <array>

namespace starling::models {

struct sha256::state {
    sha256_ctx context;
};

sha256::sha256() : state_(std::make_unique<state>()) {
    sha256_init(&state_->context);
}

sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;
sha256::~sha256() = default;

void sha256::update(std::string_view bytes) {
    sha256_update(&state_->context, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string sha256::take_hex() {
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_digest(&state_->context, digest.size(), digest.data());
    return to_hex(digest);
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    sha256 hash;
    hash.update({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return hash.take_hex();
}

}  // namespace starling::models
