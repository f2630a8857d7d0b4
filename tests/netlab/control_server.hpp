// The control socket: a Unix stream socket, a line in, a line out.
#pragma once

#include "netlab/file_descriptor.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace starling::netlab {

constexpr std::size_t control_clients_max = 64;  // a test has one or two; further ones are let go
constexpr std::size_t control_line_max = 256;    // many times the longest command

class control_server {
  public:
    /// Both without the end of the line.
    using answerer = std::function<std::string(std::string_view line)>;

    control_server(const std::string& path, answerer answer);

    /// Readable when serve() has something to do.
    int fd() const { return events_.get(); }
    void serve();

  private:
    struct client {
        file_descriptor socket;
        std::string unread;
    };

    void watch(int fd);
    void accept_one();
    bool read_from(client& from);

    file_descriptor events_;
    file_descriptor listener_;
    answerer answer_;
    std::map<int, client> clients_;
};

}  // namespace starling::netlab
