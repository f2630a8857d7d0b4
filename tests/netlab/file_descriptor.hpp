// Owns one file descriptor.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace starling::netlab {

class file_descriptor {
  public:
    file_descriptor() = default;
    explicit file_descriptor(int fd) : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file_descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    int get() const { return fd_; }

  private:
    int fd_ = -1;
};

/// For what a system call returned at start-up: throws what errno says when it failed.
template <class T>
T checked(T returned, const std::string& what) {
    if (returned < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return returned;
}

}  // namespace starling::netlab
