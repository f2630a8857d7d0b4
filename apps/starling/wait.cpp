#include "wait.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace starling::cli {

wake_up::wake_up() : fd_(::eventfd(0, EFD_CLOEXEC)) {
    if (fd_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

wake_up::~wake_up() {
    ::close(fd_);
}

void wake_up::signal() {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(fd_, &one, sizeof one));
}

bool wake_up::wait(interrupts& keyboard) {
    for (;;) {
        std::array<pollfd, 2> watched{pollfd{fd_, POLLIN, 0}, pollfd{keyboard.descriptor(), POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            continue;  // EINTR: a terminal that was resized, for instance
        }
        if ((watched[0].revents & POLLIN) != 0) {
            // Reading it orders what the signaller did before what follows here.
            std::uint64_t signals = 0;
            static_cast<void>(!::read(fd_, &signals, sizeof signals));
            return true;
        }
        if (keyboard.take()) {
            return false;
        }
    }
}

}  // namespace starling::cli
