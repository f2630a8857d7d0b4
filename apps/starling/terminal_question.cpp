#include "terminal_question.hpp"

#include "terminal.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

namespace starling::cli {

namespace {

constexpr std::chrono::seconds look_again{1};  // whether the program is in the foreground again

}  // namespace

terminal_question::terminal_question(const boost::asio::any_io_executor& executor)
    : terminal_(executor), later_(executor) {}

bool terminal_question::is_possible() {
    return stdin_is_terminal() && stdout_is_terminal();
}

/// The terminal by its name, and not standard input: what is set on that would hold for the shell too.
bool terminal_question::open() {
    if (terminal_.is_open()) {
        return true;
    }
    const int fd = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    boost::system::error_code failed;
    if (fd >= 0) {
        terminal_.assign(fd, failed);
    }
    return fd >= 0 && !failed;
}

void terminal_question::ask(const std::string& text, std::function<void(bool)> on_answer) {
    withdraw();
    if (!open()) {
        return;
    }
    ::tcflush(terminal_.native_handle(), TCIFLUSH);  // what was typed before is no answer
    std::printf("%s [y/N] ", text.c_str());
    std::fflush(stdout);
    typed_.clear();
    on_answer_ = std::move(on_answer);
    ++round_;
    listen();
}

void terminal_question::withdraw() {
    if (on_answer_) {
        on_answer_ = nullptr;
        terminal_.cancel();
        later_.cancel();
        std::puts("");
    }
}

void terminal_question::listen() {
    terminal_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this, round = round_](const boost::system::error_code& failed) {
                             if (!failed && round == round_ && on_answer_) {
                                 read();
                             }
                         });
}

void terminal_question::look_later() {
    later_.expires_after(look_again);
    later_.async_wait([this, round = round_](const boost::system::error_code& failed) {
        if (!failed && round == round_ && on_answer_) {
            listen();
        }
    });
}

void terminal_question::read() {
    if (::tcgetpgrp(terminal_.native_handle()) != ::getpgrp()) {
        look_later();
        return;
    }
    std::array<char, 256> some{};
    const auto size = ::read(terminal_.native_handle(), some.data(), some.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        listen();
        return;
    }
    typed_.append(some.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (size > 0 && typed_.find('\n') == std::string::npos && typed_.size() < some.size()) {
        listen();
        return;
    }
    const bool yes = !typed_.empty() && (typed_.front() == 'y' || typed_.front() == 'Y');
    std::exchange(on_answer_, nullptr)(yes);
}

}  // namespace starling::cli
