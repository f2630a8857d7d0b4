// What all parts of splitting models work with. Owner: mesh; outlives them. Thread: the network executor.
#pragma once

#include "base/node_id.hpp"
#include "node/stage_files.hpp"
#include "peers/service.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace starling::node {

struct split_parts {
    boost::asio::any_io_executor network;
    const settings::config* settings = nullptr;
    node_id self;
    stage_files* files = nullptr;
    std::shared_ptr<spdlog::logger> log;
    std::function<const peers::service*()> members;  // null until this node is in a mesh
    // Of models that are served here without being cut: of all, and of one.
    std::function<std::uint64_t()> whole_models_bytes;
    std::function<std::uint64_t(const std::string& content)> whole_model_bytes;
    std::function<bool()> shares;          // whether this node works for the others now
    std::function<void()> status_changed;  // what this node tells of itself
    std::uint64_t seed = 0;                // unpredictable
};

/// "kitchen (8c03282a)", for logs.
std::string name_of(const split_parts& in, const node_id& node);

}  // namespace starling::node
