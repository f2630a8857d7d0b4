#include "gguf/range_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace starling::gguf {

namespace {

class file_range_source final : public range_source {
  public:
    file_range_source(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    ~file_range_source() override { ::close(descriptor_); }

    int descriptor() const override { return descriptor_; }

    result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        while (!into.empty()) {
            const ssize_t got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                return fail(errc::io_failed,
                            "cannot read " + path_.string() + ": " + std::generic_category().message(errno));
            }
            if (got == 0) {
                return fail(errc::io_failed, path_.string() + " became shorter while it was read");
            }
            offset += static_cast<std::uint64_t>(got);
            into = into.subspan(static_cast<std::size_t>(got));
        }
        return {};
    }

  private:
    const std::filesystem::path path_;
    const int descriptor_;
};

}  // namespace

result<std::unique_ptr<range_source>> open_file(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return fail(errc::cannot_open, path.string() + " cannot be opened: " + std::generic_category().message(errno));
    }
    auto opened = std::make_unique<file_range_source>(path, descriptor);
    struct stat status{};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        return fail(errc::cannot_open, path.string() + " is not a file; give the path of a .gguf file");
    }
    return std::unique_ptr<range_source>(std::move(opened));
}

}  // namespace starling::gguf
