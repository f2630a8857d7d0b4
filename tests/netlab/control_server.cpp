#include "netlab/control_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <stdexcept>

namespace starling::netlab {

control_server::control_server(const std::string& path, answerer answer)
    : events_(checked(::epoll_create1(EPOLL_CLOEXEC), "cannot make the control socket")),
      listener_(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), path)),
      answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.copy(address.sun_path, sizeof address.sun_path - 1) != path.size()) {
        throw std::runtime_error(path + " is too long for a socket");
    }
    checked(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), path);
    checked(::listen(listener_.get(), static_cast<int>(control_clients_max)), path);
    watch(listener_.get());
}

void control_server::watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    checked(::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event), "cannot watch the control socket");
}

void control_server::serve() {
    std::array<epoll_event, 16> ready{};
    const int count = ::epoll_wait(events_.get(), ready.data(), static_cast<int>(ready.size()), 0);
    for (int i = 0; i < count; ++i) {
        const int fd = ready[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_.get()) {
            accept_one();
        } else if (const auto at = clients_.find(fd); at != clients_.end() && !read_from(at->second)) {
            clients_.erase(at);
        }
    }
}

void control_server::accept_one() {
    file_descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0 || clients_.size() >= control_clients_max) {
        return;
    }
    const int fd = socket.get();
    watch(fd);
    clients_.emplace(fd, client{.socket = std::move(socket)});
}

/// False when the client is done with: gone, too long a line, or answers that it does not take.
bool control_server::read_from(client& from) {
    std::array<char, control_line_max> bytes{};
    const ssize_t got = ::recv(from.socket.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    from.unread.append(bytes.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = from.unread.find('\n')) != std::string::npos;) {
        const std::string answer = answer_(std::string_view(from.unread).substr(0, end)) + "\n";
        from.unread.erase(0, end + 1);
        const ssize_t sent = ::send(from.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(answer.size())) {
            return false;
        }
    }
    return from.unread.size() <= control_line_max;
}

}  // namespace starling::netlab
