// A node inside this process, on a thread of its own, for whoever joins a mesh without being a node already.
#pragma once

#include "node/node.hpp"

#include <starling/client.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace starling::sdk {

class embedded_node {
  public:
    /// Blocks until the node is ready (node::observer::on_ready), for at most `timeout`. Errors: timed_out, or why the
    /// node could not be made or has ended.
    static outcome<std::shared_ptr<embedded_node>> start(settings::config settings, node::purpose why,
                                                         std::chrono::milliseconds timeout);
    embedded_node(const embedded_node&) = delete;
    embedded_node& operator=(const embedded_node&) = delete;
    /// Any thread. Stops the node, and waits for what it drains.
    ~embedded_node();

    const std::string& api_url() const { return api_url_; }

  private:
    struct progress;

    embedded_node(std::unique_ptr<node::node> node, std::shared_ptr<progress> told);

    std::shared_ptr<progress> told_;
    std::unique_ptr<node::node> node_;
    std::string api_url_;
    std::thread thread_;
};

}  // namespace starling::sdk
