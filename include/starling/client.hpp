// A client of Starling: chat with the models of a node, or of a whole mesh, from a C++ program.
//
// Part of Starling's public headers: the standard library alone, C++20. Errors are values (outcome.hpp).
//
//   auto node = starling::sdk::client::connect({.url = "http://127.0.0.1:9337"});
//   auto said = node->chat({.messages = {{.content = "Hello!"}}});
//
// Threads: a `client` brings threads of its own for the network. Every call blocks the thread that makes it and no
// other; one client may be used by many threads at once, and each call has a stream to itself. Callbacks run on the
// thread that made the call, so they may take their time: a node that gets ahead of its reader waits.
#pragma once

#include <starling/chat.hpp>
#include <starling/outcome.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace starling::sdk {

class connection;

struct connect_options {
    std::string url = "http://127.0.0.1:9337";  // with or without "/v1" at its end
    std::string api_key{};                      // empty: none. Sent to this node alone, and never part of a message.
    std::chrono::milliseconds timeout{10'000};  // for connect() and models(), not for chats
};

struct join_options {
    std::string invite{};                       // "starling:…", as `starling invite` writes it
    std::filesystem::path data_dir{};           // the node's key and place in the mesh; made if missing; not empty
    std::string name = "client";                // what the mesh calls this node
    std::chrono::milliseconds timeout{30'000};  // until the node is ready
};

/// The node that answers, as it was when the client was made.
struct node_info {
    std::string id{};       // 64 hex characters
    std::string name{};     // what people call it
    std::string version{};  // of Starling
    std::string mesh_id{};  // 64 hex characters; empty: a node of its own
};

enum class model_state { unknown, loading, ready, failed };

struct model {
    std::string id{};
    std::int32_t context_length = 0;           // tokens of one request, prompt and answer; 0: not known yet
    model_state state = model_state::unknown;  // unknown: another node has it
};

/// One answer, piece by piece, pulled by its reader. Destroying it closes the connection, and the node frees the slot.
/// One thread at a time; it may outlive the client that made it.
class chat_stream {
  public:
    chat_stream(chat_stream&&) noexcept;
    chat_stream& operator=(chat_stream&&) noexcept;
    ~chat_stream();

    /// Blocks until there is a piece. Nothing: the answer is over, and result() says how it ended.
    std::optional<delta> next();

    /// Reads what is left, and gives the whole answer, or why there is none. The same each time.
    outcome<answer> result();

  private:
    friend class client;
    class impl;
    explicit chat_stream(std::unique_ptr<impl> parts);

    std::unique_ptr<impl> impl_;
};

class client {
  public:
    /// Asks the node who it is. Errors: unreachable, unauthorized, invalid_request (the URL), timed_out, busy.
    static outcome<client> connect(const connect_options& options);

    /// Runs a node of its own inside this process, which has no model and asks the mesh; it ends with the client and
    /// its streams. One at a time on a data directory. Errors: unauthorized (the invite is not one, or is not valid any
    /// more), invalid_request (data_dir), timed_out (the mesh was not reached in time), unreachable, internal.
    static outcome<client> join(join_options options);

    client(client&&) noexcept;
    client& operator=(client&&) noexcept;
    ~client();

    const node_info& node() const;

    /// What can be asked for now. Errors: as those of connect().
    outcome<std::vector<model>> models() const;

    /// The whole answer.
    outcome<answer> chat(chat_request request, std::stop_token stop = {}) const;

    /// The same, piece by piece: false ends it (error_kind::cancelled). What the callback throws ends it too, and
    /// leaves through here.
    outcome<answer> chat(chat_request request, const std::function<bool(const delta&)>& on_delta,
                         std::stop_token stop = {}) const;

    /// The same, for a reader with a loop of its own. The outcome is an error where the node refused the request; what
    /// happens later is told by chat_stream::result().
    ///
    /// In all three, a stop that is requested on another thread closes the connection at once, so that the node frees
    /// the slot, and ends the waiting call with error_kind::cancelled.
    outcome<chat_stream> stream(chat_request request, std::stop_token stop = {}) const;

  private:
    explicit client(std::shared_ptr<connection> to);

    std::shared_ptr<connection> to_;
};

}  // namespace starling::sdk
