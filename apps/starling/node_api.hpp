// Asks a running node over HTTP, for the verbs that show and change what it does. Whatever goes wrong becomes one
// sentence; Ctrl-C becomes node::errc::stopped, about which report() says nothing.
//
// Two keys, for two kinds of questions: what the node shows is asked with the API key of its clients; what changes its
// mesh is asked with the control token from node.json, which only the owner of the data directory can read.
#pragma once

#include "background.hpp"
#include "base/result.hpp"
#include "command_line.hpp"
#include "interrupts.hpp"
#include "settings/config.hpp"

#include <boost/json.hpp>
#include <functional>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace starling::cli {

class node_api {
  public:
    /// The node at `url`; for an empty one, the node that runs on the data directory. `keyboard` must outlive it.
    /// Errors: node::errc::remote when no node is running, and as node::read_keys and fetch::client::create.
    static result<node_api> open(const settings::config& settings, const std::string& url, interrupts& keyboard);

    /// Error: node::errc::remote, or stopped.
    result<boost::json::value> get(std::string_view path);
    /// With the control token; only a node that was found on the data directory can be asked so.
    result<boost::json::value> get_as_owner(std::string_view path);
    result<boost::json::value> post_as_owner(std::string_view path, const boost::json::object& body);

    /// How long each question waits for its answer; a few seconds unless this says otherwise.
    void set_patience(std::chrono::milliseconds time) { patience_ = time; }

    const std::string& url() const { return target_.url; }
    /// Empty when it was found by its URL.
    const std::string& node_id() const { return target_.node_id; }

  private:
    struct target {
        std::string url;
        std::string node_id;
        std::string api_key;
        std::string control_token;
    };

    node_api(target found, std::unique_ptr<background> work, interrupts& keyboard);
    static result<target> find(const settings::config& settings, const std::string& url);
    result<fetch::request> question_of_owner(std::string_view path) const;
    result<boost::json::value> ask_as_owner(fetch::request question);
    /// `without_key` ends the sentence about status 401.
    result<boost::json::value> ask(fetch::request question, std::string_view without_key);

    target target_;
    std::unique_ptr<background> work_;
    interrupts* keyboard_;
    std::chrono::milliseconds patience_{5'000};  // for a program on the same machine
};

/// Runs `what` with the node that runs on the data directory; gives the exit code, with its error reported.
int with_node(const given_settings& given, const std::function<result<void>(node_api&)>& what);

}  // namespace starling::cli
