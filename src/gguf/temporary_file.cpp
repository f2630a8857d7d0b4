#include "gguf/temporary_file.hpp"

#include "gguf/errc.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace starling::gguf {

namespace {

constexpr mode_t public_file = 0644;
// Temporary names that may be taken, by other writers or by what a crash left.
constexpr int name_attempts = 100;

error system_failure(const std::string& what, const std::filesystem::path& path) {
    const int code = errno;
    if (code == ENOSPC || code == EDQUOT) {
        return fail(errc::io_failed,
                    "the disk is full: " + path.string() + " could not be written; make room and try again");
    }
    return fail(errc::io_failed, "cannot " + what + " " + path.string() + ": " + std::generic_category().message(code));
}

}  // namespace

result<temporary_file> temporary_file::create(const std::filesystem::path& beside) {
    temporary_file out;
    for (int attempt = 0; out.descriptor_ < 0 && attempt < name_attempts; ++attempt) {
        out.path_ = beside;
        out.path_ += "." + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
        out.descriptor_ = ::open(out.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, public_file);
        if (out.descriptor_ < 0 && errno != EEXIST) {
            break;
        }
    }
    if (out.descriptor_ < 0) {
        return system_failure("create", out.path_);
    }
    return out;
}

temporary_file::temporary_file(temporary_file&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

temporary_file::~temporary_file() {
    if (descriptor_ >= 0) {
        ::unlink(path_.c_str());
        ::close(descriptor_);
    }
}

result<void> temporary_file::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return system_failure("write", path_);
        }
        offset += static_cast<std::uint64_t>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

result<void> temporary_file::resize(std::uint64_t size) {
    return ::ftruncate(descriptor_, static_cast<off_t>(size)) == 0 ? result<void>() : system_failure("write", path_);
}

result<void> temporary_file::commit(const std::filesystem::path& to) {
    if (::fsync(descriptor_) != 0) {
        return system_failure("write", path_);
    }
    if (::rename(path_.c_str(), to.c_str()) != 0) {
        return system_failure("rename to its final name", path_);
    }
    ::close(std::exchange(descriptor_, -1));
    // The rename is only on the disk once the folder is.
    const std::filesystem::path folder = to.has_parent_path() ? to.parent_path() : ".";
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = opened >= 0 && ::fsync(opened) == 0;
    const auto outcome = synced ? result<void>() : system_failure("write", folder);
    if (opened >= 0) {
        ::close(opened);
    }
    return outcome;
}

}  // namespace starling::gguf
