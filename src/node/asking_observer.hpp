// Who is told that somebody asks to be let into a mesh, so that a person gets to see it.
#pragma once

#include "api/asking_view.hpp"

#include <functional>

namespace starling::node {

/// Called on the network thread; must not block. Any of them may be empty.
struct asking_observer {
    std::function<void(const api::join_request&)> on_request;   // somebody asks this node
    std::function<void(const api::own_request&)> on_asked;      // this node asks a member: codes are to be compared
    std::function<void(const api::own_request&)> on_ask_ended;  // and that is over, however it came out
};

}  // namespace starling::node
