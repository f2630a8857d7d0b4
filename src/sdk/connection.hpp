// A node's address and the thread that talks to it: what a `client` and its streams share.
//
// Owner: whoever holds a share of it, a client or a stream; never the network thread, which it waits for at its end.
// Threads: any; what it holds does not change.
#pragma once

#include "fetch/fetch.hpp"
#include "sdk/network_thread.hpp"
#include "upstream/answer_codec.hpp"

#include <starling/client.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace starling::sdk {

using steady_time = std::chrono::steady_clock::time_point;

/// 0: never.
steady_time deadline_in(std::chrono::milliseconds from_now);

/// What a node answered: an open response where the status is 200, a body that says why not otherwise.
struct reply {
    int status = 0;
    std::unique_ptr<fetch::response> open;  // dropped on the network thread
    std::string body;
};

class connection {
  public:
    /// Asks the node who it is. `node` is kept as long as the connection: the node itself, when it runs in this
    /// process.
    static outcome<std::shared_ptr<connection>> open(const connect_options& to, std::shared_ptr<void> node = nullptr);

    network_thread& network() { return *network_; }
    const node_info& node() const { return info_; }
    const upstream::server_words& words() const { return words_; }
    std::chrono::milliseconds timeout() const { return timeout_; }

    /// Blocks; the whole body of GET `path`. Errors: as those of client::connect().
    outcome<std::string> get(std::string_view path, steady_time deadline);

    /// Network thread. POST /v1/chat/completions.
    fetch::awaitable<starling::result<reply>> post_chat(std::string body, steady_time deadline);

  private:
    connection(std::string root, const connect_options& to, std::unique_ptr<network_thread> network,
               std::shared_ptr<void> node);

    fetch::request request(std::string method, std::string_view path, std::string body) const;

    std::shared_ptr<void> embedded_;  // ends after everything that asks it
    std::string root_;
    std::string api_key_;
    std::chrono::milliseconds timeout_;
    upstream::server_words words_;
    node_info info_;
    std::unique_ptr<network_thread> network_;
};

}  // namespace starling::sdk
