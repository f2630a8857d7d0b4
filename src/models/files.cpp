#include "models/files.hpp"

#include "models/errc.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

namespace starling::models {

namespace {

constexpr mode_t public_file = 0644;
// A lock is taken on a file that may be renamed away at that moment; then the next one is tried.
constexpr int lock_attempts = 100;
// Temporary names that may be taken, by other writers or by what a crash left.
constexpr int name_attempts = 100;

error system_failure(const std::string& what, const std::filesystem::path& path) {
    const int code = errno;
    if (code == ENOSPC || code == EDQUOT) {
        return fail(errc::no_space,
                    "the disk is full: " + path.string() + " could not be written; make room and try again");
    }
    return fail(errc::io_failed, "cannot " + what + " " + path.string() + ": " + std::generic_category().message(code));
}

class descriptor {
  public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

bool write_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(to, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// A rename is only on the disk once its folder is.
bool sync_folder(const std::filesystem::path& folder) {
    const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.get() >= 0 && ::fsync(opened.get()) == 0;
}

bool is_same_file(int opened, const std::filesystem::path& path) {
    struct stat mine{};
    struct stat named{};
    return ::fstat(opened, &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_dev == named.st_dev &&
           mine.st_ino == named.st_ino;
}

}  // namespace

result<std::optional<part_file>> part_file::lock(const std::filesystem::path& path) {
    for (int attempt = 0; attempt < lock_attempts; ++attempt) {
        descriptor opened(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, public_file));
        if (opened.get() < 0) {
            return system_failure("open", path);
        }
        if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK || errno == EINTR) {
                return std::optional<part_file>();
            }
            return system_failure("lock", path);
        }
        if (!is_same_file(opened.get(), path)) {
            continue;  // finished or deleted between open and lock
        }
        struct stat status{};
        if (::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            return fail(errc::io_failed, path.string() + " is not a file; move it away");
        }
        return std::optional<part_file>(part_file(path, opened.release(), static_cast<std::uint64_t>(status.st_size)));
    }
    return std::optional<part_file>();
}

part_file::part_file(part_file&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

part_file::~part_file() {
    if (descriptor_ < 0) {
        return;
    }
    if (size_ == 0) {
        discard();  // nothing to resume
    }
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

result<void> part_file::append(std::string_view bytes) {
    if (!write_all(descriptor_, bytes)) {
        error why = system_failure("write", path_);
        struct stat status{};
        size_ = ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : size_;
        return why;
    }
    size_ += bytes.size();
    return {};
}

result<void> part_file::truncate(std::uint64_t size) {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
        return system_failure("shorten", path_);
    }
    size_ = size;
    return {};
}

result<std::string> part_file::read(std::uint64_t offset, std::size_t count) const {
    std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ > offset ? size_ - offset : 0)),
                    '\0');
    std::size_t have = 0;
    while (have < out.size()) {
        const ssize_t got =
            ::pread(descriptor_, out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_failure("read", path_);
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    out.resize(have);
    return out;
}

result<void> part_file::commit(const std::filesystem::path& target) {
    if (::fsync(descriptor_) != 0) {
        return system_failure("write", path_);
    }
    if (::rename(path_.c_str(), target.c_str()) != 0) {
        return system_failure("rename to its final name", path_);
    }
    const bool synced = sync_folder(target.parent_path());
    ::close(std::exchange(descriptor_, -1));
    return synced ? result<void>() : system_failure("write", target.parent_path());
}

void part_file::discard() {
    if (descriptor_ >= 0) {
        ::unlink(path_.c_str());
        ::close(std::exchange(descriptor_, -1));
    }
}

result<void> write_durably(const std::filesystem::path& path, std::string_view bytes) {
    // Two writers of the same name, in this process or another, must not share a temporary file.
    std::filesystem::path temporary;
    int number = -1;
    for (int attempt = 0; number < 0 && attempt < name_attempts; ++attempt) {
        temporary = path;
        temporary += "." + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
        number = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, public_file);
        if (number < 0 && errno != EEXIST) {
            break;
        }
    }
    {
        const descriptor opened(number);
        if (opened.get() < 0) {
            return system_failure("create", temporary);
        }
        if (!write_all(opened.get(), bytes) || ::fsync(opened.get()) != 0) {
            error why = system_failure("write", temporary);
            ::unlink(temporary.c_str());
            return why;
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        error why = system_failure("rename to its final name", temporary);
        ::unlink(temporary.c_str());
        return why;
    }
    return sync_folder(path.parent_path()) ? result<void>() : system_failure("write", path.parent_path());
}

result<std::optional<std::string>> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        if (errno == ENOENT) {
            return std::optional<std::string>();
        }
        return system_failure("read", path);
    }
    std::string bytes(limit_bytes + 1, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > limit_bytes) {
        return fail(errc::io_failed, path.string() + " is longer than " + std::to_string(limit_bytes) + " bytes");
    }
    return std::optional<std::string>(std::move(bytes));
}

bool has_content(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::error_code failed;
    if (std::filesystem::file_size(path, failed) != bytes.size() || failed) {
        return false;
    }
    std::ifstream in(path, std::ios::binary);
    std::vector<char> buffer(1 << 18);
    while (!bytes.empty()) {
        const std::size_t count = std::min(buffer.size(), bytes.size());
        in.read(buffer.data(), static_cast<std::streamsize>(count));
        if (static_cast<std::size_t>(in.gcount()) != count || std::memcmp(buffer.data(), bytes.data(), count) != 0) {
            return false;
        }
        bytes = bytes.subspan(count);
    }
    return true;
}

std::uint64_t free_disk_bytes(const std::filesystem::path& path) {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) {
        return std::numeric_limits<std::uint64_t>::max();
    }
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace starling::models
