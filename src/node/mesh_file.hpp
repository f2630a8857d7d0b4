// What a node remembers of its mesh over a restart: <data-dir>/mesh.json, mode 0600. Losing it means to be invited
// again. The root key of a mesh that was begun here is in <data-dir>/mesh.key, and stays there.
#pragma once

#include "admission/admission.hpp"
#include "node/errc.hpp"
#include "peers/service.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace starling::node {

struct mesh_memory {
    admission::certificate certificate;  // of this node; names the mesh
    std::string joined_with;             // fingerprint of the invite that it came with; empty where there was none
    std::vector<peers::contact> contacts;
    std::vector<admission::revocation> revoked;
    admission::invite_book invites;
};

/// By which an invite is recognised, and which lets nobody in.
std::string fingerprint(const admission::invite& of);

/// Nothing when there is no such file. Error: errc::data_dir, when it cannot be read or is damaged.
result<std::optional<mesh_memory>> load_mesh(const std::filesystem::path& file);

/// Replaces it as a whole. Error: errc::data_dir.
result<void> save_mesh(const std::filesystem::path& file, const mesh_memory& what);

}  // namespace starling::node
