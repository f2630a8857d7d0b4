// An HTTP client for downloads and for upstream servers, on libcurl.
//
// Owner: the program; one `client` serves everybody. Thread: the client has one driver thread that owns every
// connection; `open` and `read` are called from coroutines on any executor and are resumed on that executor.
// Called by: models (downloads) and upstream (another OpenAI-compatible server).
//
// Only http and https. Proxies are found as libcurl finds them, but a loopback address is always contacted directly.
// A redirect is followed at most `max_redirects` times, never from https to http, and an Authorization header goes to
// the host and port it was meant for and nowhere else. HTTP/1.1 only: one connection carries one transfer, so that a
// paused reader holds up its own connection and nothing piles up in memory.
#pragma once

#include "base/result.hpp"
#include "fetch/errc.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::fetch {

template <class T>
using awaitable = boost::asio::awaitable<T>;

using header_list = std::vector<std::pair<std::string, std::string>>;

/// Redirects are a hub and its storage, so two or three; more is a loop.
inline constexpr int max_redirects = 8;
/// Bytes of one answer that wait for their reader before its connection is paused.
inline constexpr std::size_t read_buffer_limit_bytes = 512 * 1024;
/// Header bytes of one answer; a server that sends more is broken.
inline constexpr std::size_t max_head_bytes = 256 * 1024;

struct request {
    std::string method = "GET";
    std::string url;
    header_list headers;
    std::string body;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds idle_timeout{0};  // longest time without a byte once connected; 0: no limit
    bool follow_redirects = true;
};

struct response_head {
    int status = 0;
    std::string final_url;  // after redirects
    header_list headers;    // of the final answer; names in lower case

    /// The first header of this name (lower case); empty when there is none.
    std::string_view header(std::string_view name) const;
};

/// One answer in the making. Dropping it cancels the transfer and closes its connection. One coroutine at a time reads.
/// Must be dropped before the executor that opened it is destroyed.
class response {
  public:
    response() = default;
    response(const response&) = delete;
    response& operator=(const response&) = delete;
    virtual ~response() = default;

    virtual const response_head& head() const = 0;

    /// The next piece of the body, as soon as there is one; an empty string at the end. An error is repeated by every
    /// later call.
    virtual awaitable<result<std::string>> read() = 0;
};

class client {
  public:
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    /// Stops the driver thread and waits for it; answers that are still open fail with errc::cancelled.
    virtual ~client() = default;

    static result<std::unique_ptr<client>> create();

    /// Sends the request and waits for the head of the answer, whatever its status. Cancelling the waiting coroutine
    /// (asio cancellation) or destroying it cancels the transfer.
    virtual awaitable<result<std::unique_ptr<response>>> open(request what) = 0;

  protected:
    client() = default;
};

/// The rest of the body; errc::too_large when it is longer than `limit_bytes`.
awaitable<result<std::string>> read_all(response& from, std::size_t limit_bytes);

/// Of the libcurl that this process runs with: "7.88.1".
std::string library_version();

}  // namespace starling::fetch
