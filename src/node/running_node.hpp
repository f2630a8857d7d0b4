// How `chat` and `status` find the node that runs on a data directory, and how a second node is kept off it.
//
// The running node holds a lock on <data-dir>/node.lock for as long as its process lives, however it ends; beside it
// lies node.json with the address. A node.json without a lock is what a killed node left behind, and is not believed.
#pragma once

#include "base/result.hpp"
#include "node/errc.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace starling::node {

struct running_node {
    std::string api_url;
    std::string node_id;
    std::string version;
    std::string api_key_file;   // empty: no key is asked for
    std::string control_token;  // opens what changes the mesh in /api, for whoever may read this file
    std::int64_t pid = 0;
};

/// The right to be the node of a data directory; given up by the destructor.
class data_dir_lock {
  public:
    /// Error: errc::already_running, naming the process and its address where they are known; errc::data_dir.
    static result<data_dir_lock> take(const std::filesystem::path& data_dir);

    data_dir_lock(data_dir_lock&& other) noexcept;
    data_dir_lock& operator=(data_dir_lock&&) = delete;
    ~data_dir_lock();

    /// Writes node.json. Error: errc::data_dir.
    result<void> publish(const running_node& about) const;

  private:
    data_dir_lock(std::filesystem::path data_dir, int fd);

    std::filesystem::path data_dir_;
    int fd_;
};

/// Nothing when no node runs on this directory.
std::optional<running_node> find_running(const std::filesystem::path& data_dir);

}  // namespace starling::node
