// Why a node could not be started, or ended. The program prints the message and exits with 1.
#pragma once

#include "base/result.hpp"

namespace starling::node {

enum class errc {
    data_dir = 1,     // cannot be created, read or written
    already_running,  // another node has the same data directory
    cannot_listen,    // the port is taken, or the address is not of this machine
    model,            // a model cannot be found, fetched or loaded
    remote,           // another node does not answer, or answers with an error
    mesh,             // this node is not taken into the mesh, or may not do what was asked in it
    stopped,          // the node was stopped while somebody waited for it
    internal,
};

constexpr const char* category_name(errc) {
    return "node";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::data_dir: return "data directory";
        case errc::already_running: return "already running";
        case errc::cannot_listen: return "cannot listen";
        case errc::model: return "model";
        case errc::remote: return "other node";
        case errc::mesh: return "mesh";
        case errc::stopped: return "stopped";
        case errc::internal: return "internal error";
    }
    return "unknown error";
}

}  // namespace starling::node

template <>
struct std::is_error_code_enum<starling::node::errc> : std::true_type {};
