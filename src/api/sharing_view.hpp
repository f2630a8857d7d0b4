// What the API asks about what this node does for the others of its mesh, and how others come in. Implemented by node;
// a node that can be in no mesh gives none. Network executor.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace starling::api {

/// How a machine becomes a member.
enum class who_joins {
    invite,
    invite_or_ask,  // those on the local network may also ask, and a person decides
};

struct sharing_facts {
    bool in_mesh = false;
    bool sharing = false;    // answers requests of members, and computes parts of models for them
    bool reachable = false;  // other machines can connect to this one
    std::string listens;     // for other nodes: "0.0.0.0:9338"
    who_joins who = who_joins::invite;
    bool may_invite = false;
    std::uint64_t memory_bytes = 0;        // lent to models, at most:
    std::uint64_t memory_total_bytes = 0;  // 0: the system does not say
    std::vector<std::string> fixed;        // of reachable, who, memory: what was given at the start
};

/// What is not given stays as it is.
struct sharing_wish {
    std::optional<bool> sharing;
    std::optional<std::uint64_t> memory_bytes;
    std::optional<bool> reachable;
    std::optional<who_joins> who;
};

enum class sharing_outcome {
    done,
    restarts,  // the node stops a moment from now, and is back at the same addresses
};

class sharing_view {
  public:
    sharing_view() = default;
    sharing_view(const sharing_view&) = delete;
    sharing_view& operator=(const sharing_view&) = delete;
    virtual ~sharing_view() = default;

    virtual sharing_facts facts() const = 0;

    /// All of it or, with an error, nothing; it is kept over restarts. Errors: engine::errc::invalid_request (what is
    /// fixed, or cannot be), unavailable (it cannot be kept).
    virtual result<sharing_outcome> change(const sharing_wish& wish) = 0;
};

}  // namespace starling::api
