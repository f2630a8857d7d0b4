// A chat with a running node or another server.
#pragma once

#include "chat_engine.hpp"

#include <filesystem>

namespace starling::cli {

struct remote_target {
    std::string url;
    std::string model;  // empty: the first that the server names
    std::filesystem::path api_key_file;
};

/// Errors: node::errc::model when the server has no such model; engine::errc when it cannot be asked.
result<std::unique_ptr<chat_engine>> open_remote_engine(remote_target target, interrupts& keyboard);

}  // namespace starling::cli
