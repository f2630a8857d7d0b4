// What goes in and out of the HTTP server: plain values, no sockets, no JSON.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// Header names are compared without regard to case. Empty when there is none.
std::string_view find_header(const header_list& headers, std::string_view name);

struct request {
    std::string method;   // "GET", as the client wrote it
    std::string path;     // percent-decoded, without the query; always begins with '/'
    std::string query;    // what follows '?', as it came
    header_list headers;  // names in lower case
    std::string body;
    boost::asio::ip::tcp::endpoint client;  // whom the connection comes from
    boost::asio::ip::tcp::endpoint server;  // where it arrived
};

struct response {
    int status = 200;
    header_list headers;  // content-length, connection and date are the server's business
    std::string body;
};

/// Every limit of the server. All are defended against clients that do not mean well, or are merely broken.
struct limits {
    std::size_t header_bytes = 16 * 1024;       // cookies and tokens fit; a header bomb does not
    std::size_t body_bytes = 16 * 1024 * 1024;  // a prompt of a million tokens is about 4 MB
    std::size_t connections = 1024;             // each costs a file descriptor and a few kilobytes
    std::size_t unsent_bytes = 64 * 1024;       // of a stream; beyond it the handler waits for the client to read
    std::chrono::milliseconds idle{75'000};     // between requests: above the 60 s of common proxies and clients
    std::chrono::milliseconds header{15'000};   // from a request's first byte to the end of its headers
    std::chrono::milliseconds body{60'000};     // from the end of the headers to the end of the body
    std::chrono::milliseconds write{30'000};    // without the client taking a single byte
    std::chrono::milliseconds drain{5'000};     // for answers under way when the server stops
};

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace starling::http
