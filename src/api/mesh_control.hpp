// /api/invites and /api/revocations: who may be in the mesh is said here. /api/plan: where a model would go; it makes
// the node read files that others name. Private to api.
//
// They are opened by the control token, which only those know who may read the node's data directory: an API key, or a
// place on the loopback, is enough to use the models, and not to let others in.
#pragma once

#include "api/api.hpp"
#include "api/call.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace starling::api {

void answer_invite(call& call, mesh_view* mesh, const std::string& body);
void answer_revocation(call& call, mesh_view* mesh, const std::string& body);

/// {model, split, ctx, slots}
boost::asio::awaitable<void> answer_plan(call& call, mesh_view* mesh, std::string body);

}  // namespace starling::api
