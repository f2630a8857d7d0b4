#include "interrupts.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace starling::cli {

namespace {

sigset_t only_interrupt() {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGINT);
    return out;
}

}  // namespace

interrupts::interrupts() : fd_(-1) {
    const sigset_t set = only_interrupt();
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0) {
        fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
}

interrupts::~interrupts() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    const sigset_t set = only_interrupt();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool interrupts::take() {
    signalfd_siginfo info{};
    return fd_ >= 0 && ::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace starling::cli
