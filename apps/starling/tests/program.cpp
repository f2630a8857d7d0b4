#include "program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace starling::cli::test {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

bool drain(int& fd, std::string& into) {
    char buffer[8192];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) {
        ::close(fd);
        fd = -1;
        return false;
    }
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
}

}  // namespace

program::program(std::vector<std::string> arguments, std::vector<std::string> environment, std::string input) {
    int out[2];
    int err[2];
    int in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipes");
    }
    arguments.insert(arguments.begin(), STARLING_PROGRAM);
    const char* path = std::getenv("PATH");
    environment.push_back(std::string("PATH=") + (path == nullptr ? "" : path));
    std::vector<char*> argv = pointers(arguments);
    std::vector<char*> envp = pointers(environment);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::dup2(err[1], STDERR_FILENO);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
    static_cast<void>(!::write(in[1], input.data(), input.size()));
    ::close(in[1]);
    out_ = out[0];
    err_ = err[0];
}

program::~program() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {out_, err_}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

bool program::pump(std::chrono::milliseconds patience) {
    pollfd watched[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    if (::poll(watched, 2, static_cast<int>(patience.count())) <= 0) {
        return false;
    }
    if (out_ >= 0 && watched[0].revents != 0) {
        drain(out_, result_.out);
    }
    if (err_ >= 0 && watched[1].revents != 0) {
        drain(err_, result_.err);
    }
    return true;
}

std::string program::wait_for_output(const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (result_.out.find(text) == std::string::npos) {
        if (std::chrono::steady_clock::now() > until || out_ < 0) {
            return {};
        }
        pump(std::chrono::milliseconds(100));
    }
    return result_.out;
}

void program::send(int signal) {
    ::kill(pid_, signal);
}

ended program::wait(std::chrono::seconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (out_ >= 0 || err_ >= 0) {
        if (std::chrono::steady_clock::now() > until) {
            ::kill(pid_, SIGKILL);
        }
        pump(std::chrono::milliseconds(100));
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    result_.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return result_;
}

}  // namespace starling::cli::test
