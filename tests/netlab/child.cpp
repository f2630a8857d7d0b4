#include "netlab/child.hpp"

#include "netlab/pidfd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdio>
#include <stdexcept>

namespace starling::netlab {

namespace {

constexpr int not_started = 127;

[[noreturn]] void become(const std::vector<std::string>& command, int input, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);  // netlab blocks what it reads as events
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || (input >= 0 && ::dup2(input, STDIN_FILENO) < 0)) {
        ::_exit(not_started);
    }
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "netlab: cannot start %s: %s\n", arguments[0], std::system_category().message(errno).c_str());
    ::_exit(not_started);
}

}  // namespace

child::child(const std::vector<std::string>& command, int input) : pid_(-1) {
    const pid_t parent = ::getpid();
    pid_ = checked(::fork(), "cannot start a process");
    if (pid_ == 0) {
        become(command, input, parent);
    }
    ended_ = open_process(pid_);
    checked(ended_.get(), "cannot watch a process");
}

child::~child() {
    if (!waited_) {
        signal(SIGKILL);
        wait();
    }
}

void child::signal(int number) const {
    ::kill(pid_, number);
}

int child::wait() {
    while (!waited_) {
        if (::waitpid(pid_, &status_, 0) == pid_ || errno != EINTR) {
            waited_ = true;
        }
    }
    return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void run(const std::vector<std::string>& command, const std::string& input) {
    // A file and not a pipe: a program that does not read it all is no reason for a signal.
    const file_descriptor file(checked(::memfd_create("input", MFD_CLOEXEC), "cannot make a file in memory"));
    const auto written = checked(::pwrite(file.get(), input.data(), input.size(), 0), "cannot write to memory");
    const int status = static_cast<std::size_t>(written) == input.size() ? child(command, file.get()).wait() : -1;
    if (status == not_started) {
        throw std::runtime_error(fmt::format("\"{}\" is needed; install it", command.front()));
    }
    if (status != 0) {
        throw std::runtime_error(fmt::format("\"{}\" failed; what it says is above", fmt::join(command, " ")));
    }
}

}  // namespace starling::netlab
