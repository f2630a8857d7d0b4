#include "node/identity.hpp"

#include "node/private_file.hpp"

#include <nettle/eddsa.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace starling::node {

namespace {

using key = std::array<std::uint8_t, identity::key_bytes>;
static_assert(identity::key_bytes == ED25519_KEY_SIZE);

std::string to_hex(const key& bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        out += digits[byte >> 4U];
        out += digits[byte & 0x0FU];
    }
    return out;
}

std::optional<std::uint8_t> digit_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return static_cast<std::uint8_t>(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return static_cast<std::uint8_t>(digit - 'a' + 10);
    }
    return std::nullopt;
}

std::optional<key> from_hex(std::string_view text) {
    key out{};
    if (text.size() != out.size() * 2) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto high = digit_value(text[i * 2]);
        const auto low = digit_value(text[i * 2 + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        out[i] = static_cast<std::uint8_t>(*high << 4U | *low);
    }
    return out;
}

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
    const auto seed = from_hex(digits);
    if (!seed) {
        return fail(errc::data_dir,
                    key_file.string() +
                        " is not a node key (64 hex characters); put it back from a copy, or remove it to "
                        "become a new node.");
    }
    return *seed;
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
