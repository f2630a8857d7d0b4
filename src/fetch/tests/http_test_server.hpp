// A small HTTP server for tests, on a free loopback port, with one thread for each connection. The handler writes the
// raw bytes of its answer itself, so that a test can cut, stall and lie as it likes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace starling::test {

struct http_request {
    std::string method;
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;

    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string() : found->second;
    }
};

class http_connection {
  public:
    explicit http_connection(int socket) : socket_(socket) {}

    /// False when the other side is gone.
    bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    bool answer(int status, std::string_view body, const std::string& headers = {}) {
        return write("HTTP/1.1 " + std::to_string(status) + " Test\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n" + headers + "\r\n") &&
               write(body);
    }

    bool read_request(http_request& out) {
        out = {};
        std::size_t end = 0;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            if (!fill()) {
                return false;
            }
        }
        parse_head(pending_.substr(0, end), out);
        pending_.erase(0, end + 4);
        const std::size_t length = std::strtoul(out.header("content-length").c_str(), nullptr, 10);
        while (pending_.size() < length) {
            if (!fill()) {
                return false;
            }
        }
        out.body = pending_.substr(0, length);
        pending_.erase(0, length);
        return true;
    }

    /// Waits until the other side closes its end.
    void wait_for_close() {
        while (fill()) {
        }
    }

    void close_after_this() { keep_ = false; }
    bool keep() const { return keep_; }

  private:
    bool fill() {
        char buffer[4096];
        const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
        if (got <= 0) {
            return false;
        }
        pending_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    static void parse_head(const std::string& head, http_request& out) {
        const std::size_t line_end = std::min(head.find("\r\n"), head.size());
        const std::size_t space = head.find(' ');
        out.method = head.substr(0, space);
        out.path = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
        for (std::size_t at = line_end; at < head.size();) {
            at += 2;
            const std::size_t end = std::min(head.find("\r\n", at), head.size());
            const std::string line = head.substr(at, end - at);
            if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
                std::string name = line.substr(0, colon);
                std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
                const std::size_t value = line.find_first_not_of(' ', colon + 1);
                out.headers[name] = value == std::string::npos ? std::string() : line.substr(value);
            }
            at = end;
        }
    }

    int socket_;
    std::string pending_;
    bool keep_ = true;
};

class http_test_server {
  public:
    using handler = std::function<void(http_connection&, const http_request&)>;

    explicit http_test_server(handler answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
            throw std::runtime_error("the test server cannot listen");
        }
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { run_accept_loop(); });
    }

    http_test_server(const http_test_server&) = delete;
    http_test_server& operator=(const http_test_server&) = delete;

    ~http_test_server() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        {
            const std::scoped_lock lock(mutex_);
            for (const int socket : sockets_) {
                ::shutdown(socket, SHUT_RDWR);
            }
        }
        for (std::thread& session : sessions_) {
            session.join();
        }
        for (const int socket : sockets_) {
            ::close(socket);
        }
    }

    int port() const { return port_; }
    std::string url(const std::string& path = {}) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

    std::vector<http_request> requests() const {
        const std::scoped_lock lock(mutex_);
        return requests_;
    }

  private:
    void run_accept_loop() {
        for (;;) {
            const int socket = ::accept(listener_, nullptr, nullptr);
            if (socket < 0) {
                return;
            }
            const std::scoped_lock lock(mutex_);
            sockets_.push_back(socket);
            sessions_.emplace_back([this, socket] { run_session(socket); });
        }
    }

    void run_session(int socket) {
        http_connection connection(socket);
        http_request request;
        while (connection.keep() && connection.read_request(request)) {
            {
                const std::scoped_lock lock(mutex_);
                requests_.push_back(request);
            }
            answer_(connection, request);
        }
        ::shutdown(socket, SHUT_RDWR);
    }

    handler answer_;
    int listener_ = -1;
    int port_ = 0;
    std::thread acceptor_;
    mutable std::mutex mutex_;
    std::vector<http_request> requests_;
    std::vector<int> sockets_;
    std::list<std::thread> sessions_;  // touched by the acceptor, and by the destructor once that has ended
};

}  // namespace starling::test
