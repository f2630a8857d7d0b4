// /api/sharing: what this node does for the others of its mesh, and how others come in. Private to api.
#pragma once

#include "api/call.hpp"
#include "api/sharing_view.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace starling::api {

/// What GET answers. `sharing` may be null: a node that can be in no mesh.
boost::json::object sharing_json(const sharing_view* sharing);

void answer_sharing(call& call, const sharing_view* sharing);

/// {sharing, memory_bytes, reachable, who}, each where it is to change; as GET, and `restarting` where the node does.
void answer_sharing_wish(call& call, sharing_view* sharing, const std::string& body);

}  // namespace starling::api
