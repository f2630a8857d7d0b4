#include "node/identity.hpp"

#include "base/hex.hpp"
#include "node/private_file.hpp"

#include <nettle/eddsa.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstddef>
#include <string_view>

namespace starling::node {

namespace {

using key = std::array<std::uint8_t, identity::key_bytes>;
static_assert(identity::key_bytes == ED25519_KEY_SIZE);

result<key> read_seed(const std::filesystem::path& key_file, mode_t mode) {
    if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(errc::data_dir, "The node's key " + key_file.string() + " can be read by others; run: chmod 600 '" +
                                        key_file.string() + "'.");
    }
    auto text = read_small_file(key_file, identity::key_bytes * 2 + 1);
    if (!text) {
        return text.error();
    }
    std::string_view digits = *text;
    if (digits.ends_with('\n')) {
        digits.remove_suffix(1);
    }
    key seed{};
    if (!from_hex(digits, seed)) {
        return fail(errc::data_dir,
                    key_file.string() +
                        " is not a node key (64 hex characters); put it back from a copy, or remove it to "
                        "become a new node.");
    }
    return seed;
}

}  // namespace

identity::identity(key seed) : seed_(seed) {
    key pub{};
    nettle_ed25519_sha512_public_key(pub.data(), seed_.data());
    node_id_ = to_hex(pub);
}

result<identity> identity::load_or_create(const std::filesystem::path& key_file) {
    struct ::stat about{};
    if (::stat(key_file.c_str(), &about) == 0) {
        auto seed = read_seed(key_file, about.st_mode);
        if (!seed) {
            return seed.error();
        }
        return identity(*seed);
    }
    key seed{};
    if (::getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
        return fail(errc::internal, "The system gave no random bytes for the node's key.");
    }
    if (auto written = write_private_file(key_file, to_hex(seed) + "\n"); !written) {
        return written.error();
    }
    return identity(seed);
}

}  // namespace starling::node
