#include "node/node_key.hpp"

#include "base/hex.hpp"
#include "node/private_file.hpp"

#include <sys/stat.h>

#include <string_view>
#include <tuple>

namespace starling::node {

namespace {

constexpr std::size_t key_text_size = 2 * std::tuple_size_v<keys::key_pair::seed> + 1;

result<keys::key_pair> read_key(const std::filesystem::path& key_file, mode_t mode) {
    if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(errc::data_dir, "The node's key " + key_file.string() + " can be read by others; run: chmod 600 '" +
                                        key_file.string() + "'.");
    }
    auto text = read_small_file(key_file, key_text_size);
    if (!text) {
        return text.error();
    }
    std::string_view digits = *text;
    if (digits.ends_with('\n')) {
        digits.remove_suffix(1);
    }
    keys::key_pair::seed seed{};
    if (!from_hex(digits, seed)) {
        return fail(errc::data_dir,
                    key_file.string() +
                        " is not a node key (64 hex characters); put it back from a copy, or remove it to "
                        "become a new node.");
    }
    return keys::key_pair(seed);
}

}  // namespace

result<keys::key_pair> load_or_create_key(const std::filesystem::path& key_file) {
    struct ::stat about{};
    if (::stat(key_file.c_str(), &about) == 0) {
        return read_key(key_file, about.st_mode);
    }
    const auto made = keys::key_pair::generate();
    if (auto written = write_private_file(key_file, to_hex(made.secret()) + "\n"); !written) {
        return written.error();
    }
    return made;
}

}  // namespace starling::node
