// What the API asks about nodes that ask to be let into a mesh without an invite: those that ask this node, and whom
// this node asks itself. People decide both, by a code that two screens show. Implemented by node. Network executor.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::api {

/// Somebody asks this node. The name is fit to be shown, and to be believed only with the code.
struct join_request {
    std::string code;  // "482 913"
    std::string name;
    std::string node_id;
    std::int64_t since_s = 0;  // seconds that it has waited
};

/// This node asks a member. The name and the mesh are as the member says.
struct own_request {
    std::string code;
    std::string member;
    std::string member_id;
    std::string mesh_id;
    bool approved = false;   // there
    bool confirmed = false;  // here
};

class asking_view {
  public:
    asking_view() = default;
    asking_view(const asking_view&) = delete;
    asking_view& operator=(const asking_view&) = delete;
    virtual ~asking_view() = default;

    /// The oldest first.
    virtual std::vector<join_request> requests() const = 0;

    /// `role` is for an approval. Errors: engine::errc::invalid_request, with one sentence.
    virtual result<void> decide(std::string_view code, bool approve, std::string_view role) = 0;

    /// Nothing while nobody is asked.
    virtual std::optional<own_request> own() const = 0;

    /// `code` is the one on the member's screen, or empty when a person has compared the two; it is not needed for a
    /// no, after which the request is withdrawn. Errors: engine::errc::invalid_request, with one sentence.
    virtual result<void> confirm(std::string_view code, bool is_same) = 0;
};

}  // namespace starling::api
