#include "models/content_id.hpp"

#include "gguf/gguf.hpp"
#include "models/sha256.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace starling::models {

namespace {

constexpr std::size_t sample_bytes = 4'096;

/// Feeds `size` bytes from `offset` to the hash; false when the file does not give them.
bool hash_range(std::ifstream& from, std::uint64_t offset, std::uint64_t size, sha256& into) {
    std::array<char, std::size_t{64} * 1024> piece;
    from.seekg(static_cast<std::streamoff>(offset));
    while (size > 0) {
        const auto want = static_cast<std::streamsize>(std::min<std::uint64_t>(size, piece.size()));
        if (!from.read(piece.data(), want)) {
            return false;
        }
        into.update(std::string_view(piece.data(), static_cast<std::size_t>(want)));
        size -= static_cast<std::uint64_t>(want);
    }
    return true;
}

bool hash_samples(std::ifstream& from, std::uint64_t offset, std::uint64_t size, sha256& into) {
    if (size <= 3 * sample_bytes) {
        return hash_range(from, offset, size, into);
    }
    return hash_range(from, offset, sample_bytes, into) &&
           hash_range(from, offset + (size - sample_bytes) / 2, sample_bytes, into) &&
           hash_range(from, offset + size - sample_bytes, sample_bytes, into);
}

}  // namespace

result<std::string> content_id(const std::filesystem::path& file) {
    const auto header = gguf::read_header(file);
    if (!header) {
        return header.error();
    }
    sha256 hash;
    hash.update("starling model 1 " + std::to_string(header->file_size) + "\n");
    std::ifstream in(file, std::ios::binary);
    bool read = in.is_open() && hash_range(in, 0, header->header_bytes, hash);
    for (const gguf::tensor_info& tensor : header->tensors) {
        read = read && hash_samples(in, header->data_offset + tensor.offset, tensor.bytes, hash);
    }
    if (!read) {
        return fail(errc::io_failed, file.string() + " cannot be read to its end; check the disk.");
    }
    return hash.take_hex();
}

}  // namespace starling::models
