#include "node/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace starling::node {

namespace {

constexpr mode_t owner_directory = 0700;
constexpr mode_t owner_file = 0600;

class descriptor {
  public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

std::string reason(int code) {
    return std::generic_category().message(code);
}

error cannot_write(const std::filesystem::path& path, int code) {
    const char* advice = code == ENOSPC   ? "free some space"
                         : code == EDQUOT ? "free some of your disk quota"
                                          : "make it writable, or choose another place with --data-dir";
    return fail(errc::data_dir, "Cannot write " + path.string() + " (" + reason(code) + "); " + advice + ".");
}

/// 0, or the errno that says why not all was written.
int write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written == 0 ? EIO : errno;
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

result<void> prepare_data_dir(const std::filesystem::path& dir) {
    if (dir.empty()) {
        return fail(errc::data_dir, "There is no data directory: neither --data-dir nor HOME is set.");
    }
    std::error_code failed;
    if (!std::filesystem::is_directory(dir, failed)) {
        if (dir.has_parent_path()) {
            std::filesystem::create_directories(dir.parent_path(), failed);
        }
        if (::mkdir(dir.c_str(), owner_directory) != 0 && errno != EEXIST) {
            const int code = failed ? failed.value() : errno;
            return fail(errc::data_dir, "The data directory " + dir.string() + " cannot be created (" + reason(code) +
                                            "); choose another place with --data-dir.");
        }
        if (!std::filesystem::is_directory(dir, failed)) {
            return fail(errc::data_dir,
                        "The data directory " + dir.string() + " is a file; choose another place with --data-dir.");
        }
    }
    // Permission bits do not tell everything (read-only mounts, quotas): try it.
    const std::filesystem::path probe = dir / (".probe-" + std::to_string(::getpid()));
    const descriptor fd(::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, owner_file));
    if (!fd) {
        const int code = errno;
        return fail(errc::data_dir, "The data directory " + dir.string() + " cannot be written (" + reason(code) +
                                        "); make it writable, or choose another place with --data-dir.");
    }
    ::unlink(probe.c_str());
    return {};
}

result<void> write_private_file(const std::filesystem::path& path, std::string_view content) {
    std::filesystem::path temporary = path;
    temporary += ".part-" + std::to_string(::getpid());
    ::unlink(temporary.c_str());
    const descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_file));
    if (!fd) {
        return cannot_write(path, errno);
    }
    int failed = write_all(fd.get(), content);
    if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
        failed = errno;
    }
    if (failed != 0) {
        ::unlink(temporary.c_str());
        return cannot_write(path, failed);
    }
    return {};
}

result<std::string> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes) {
    const descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string content(limit_bytes + 1, '\0');
    std::size_t have = 0;
    while (fd && have < content.size()) {
        const ssize_t got = ::read(fd.get(), content.data() + have, content.size() - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(errc::data_dir, "Cannot read " + path.string() + " (" + reason(errno) + ").");
        }
        if (got == 0) {
            content.resize(have);
            return content;
        }
        have += static_cast<std::size_t>(got);
    }
    if (!fd) {
        return fail(errc::data_dir, "Cannot read " + path.string() + " (" + reason(errno) + ").");
    }
    return fail(errc::data_dir,
                path.string() + " is longer than " + std::to_string(limit_bytes) + " bytes, which it should not be.");
}

}  // namespace starling::node
