// A blocking HTTP client for tests: it sends exactly the bytes it is given, and never waits longer than it says.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace starling::http::testing {

class raw_client {
  public:
    explicit raw_client(std::uint16_t port, int receive_buffer = 0) : socket_(io_) {
        socket_.open(boost::asio::ip::tcp::v4());
        if (receive_buffer > 0) {
            socket_.set_option(boost::asio::socket_base::receive_buffer_size(receive_buffer));
        }
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
        wait_at_most(10);
    }

    void wait_at_most(int seconds) {
        const timeval limit{seconds, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }

    bool send(std::string_view bytes) {
        boost::system::error_code failed;
        boost::asio::write(socket_, boost::asio::buffer(bytes), failed);
        return !failed;
    }

    /// More bytes into `received`; false at the end of the connection or of the patience.
    bool read_some() {
        std::array<char, 16 * 1024> piece{};
        const auto n = ::recv(socket_.native_handle(), piece.data(), piece.size(), 0);
        if (n <= 0) {
            at_end_ = n == 0 || errno == ECONNRESET;
            return false;
        }
        received.append(piece.data(), static_cast<std::size_t>(n));
        return true;
    }

    bool read_until(std::string_view marker) {
        while (received.find(marker) == std::string::npos) {
            if (!read_some()) {
                return false;
            }
        }
        return true;
    }

    void read_to_end() {
        while (read_some()) {
        }
    }

    /// One whole response off the front of `received`, by its content-length or its last chunk.
    std::string read_response() {
        if (!read_until("\r\n\r\n")) {
            return std::exchange(received, {});
        }
        const auto head_end = received.find("\r\n\r\n") + 4;
        const auto head = received.substr(0, head_end);
        std::size_t total = head_end;
        if (head.find("transfer-encoding: chunked") != std::string::npos) {
            if (!read_until("\r\n0\r\n\r\n")) {
                return std::exchange(received, {});
            }
            total = received.find("\r\n0\r\n\r\n") + 7;
        } else if (const auto length = head.find("content-length: "); length != std::string::npos && !head_only) {
            total += std::strtoul(head.c_str() + length + 16, nullptr, 10);
            while (received.size() < total && read_some()) {
            }
        }
        auto whole = received.substr(0, total);
        received.erase(0, total);
        return whole;
    }

    /// The other side closed; waits for it.
    bool is_closed() {
        read_to_end();
        return at_end_;
    }

    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

    void reset() {
        const linger now{1, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    std::string received;
    bool head_only = false;  // the next response answers a HEAD

  private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    bool at_end_ = false;
};

}  // namespace starling::http::testing
