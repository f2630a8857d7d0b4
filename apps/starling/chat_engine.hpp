// Who answers a chat: the node that runs here, a server somewhere, or an engine in this process.
#pragma once

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "interrupts.hpp"
#include "node/errc.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace starling::cli {

class chat_engine {
  public:
    chat_engine() = default;
    chat_engine(const chat_engine&) = delete;
    chat_engine& operator=(const chat_engine&) = delete;
    /// Its streams must have been dropped.
    virtual ~chat_engine() = default;

    virtual boost::asio::any_io_executor executor() = 0;
    virtual engine::generator& generator() = 0;
    virtual const std::string& model() const = 0;
    /// "the node at http://…", "this process"
    virtual const std::string& place() const = 0;
};

struct chat_target {
    settings::config config;
    std::string url;    // of a server; empty: look for a node here, else run an engine
    std::string model;  // empty: whatever is there first
};

/// Waits until the model is ready; Ctrl-C gives node::errc::stopped.
result<std::unique_ptr<chat_engine>> open_chat_engine(chat_target target, interrupts& keyboard);

}  // namespace starling::cli
