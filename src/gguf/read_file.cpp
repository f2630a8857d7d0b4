#include "gguf/gguf.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace starling::gguf {

namespace {

class file_source final : public byte_source {
  public:
    explicit file_source(const std::filesystem::path& path) : in_(path, std::ios::binary) {}

    bool is_open() const { return in_.is_open(); }

    std::size_t read(std::span<std::byte> into) override {
        in_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
        return static_cast<std::size_t>(in_.gcount());
    }

  private:
    std::ifstream in_;
};

}  // namespace

result<file_header> read_header(const std::filesystem::path& path) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (status.type() == std::filesystem::file_type::not_found) {
        return fail(errc::cannot_open, "there is no file " + path.string() + "; check the path");
    }
    if (failed || !std::filesystem::is_regular_file(status)) {
        return fail(errc::cannot_open, path.string() + (failed ? " cannot be opened: " + failed.message()
                                                               : " is not a file; give the path of a .gguf file"));
    }
    const std::uint64_t size = std::filesystem::file_size(path, failed);
    if (failed) {
        return fail(errc::cannot_open, path.string() + " cannot be opened: " + failed.message());
    }
    file_source from(path);
    if (!from.is_open()) {
        return fail(errc::cannot_open, path.string() + " cannot be opened: " + std::generic_category().message(errno));
    }
    auto header = parse_header(from, size);
    if (!header) {
        error why = header.error();
        if (why == errc::incomplete) {
            why = fail(errc::truncated, "the file became shorter while it was read");
        }
        why.message = path.string() + ": " + why.message;
        return why;
    }
    return header;
}

}  // namespace starling::gguf
