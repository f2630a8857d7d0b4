// The node's own JSON (GET /api/status, GET /v1/models) -> values of the public API. Pure.
#pragma once

#include <starling/client.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace starling::sdk {

/// Nothing when it is not the status of a Starling node.
std::optional<node_info> parse_status(std::string_view body);

/// Models in the order of `list`, with the state that `status` knows of them. Nothing when `list` is no list of models.
std::optional<std::vector<model>> parse_models(std::string_view list, std::string_view status);

}  // namespace starling::sdk
