// /api/requests: who asks to be let into the mesh, and what a person decides; /api/asking: whom this node asks itself,
// and whether the codes are the same. Private to api; opened by the control token, as mesh_control.
#pragma once

#include "api/api.hpp"
#include "api/call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace starling::api {

/// [{code, name, node_id, since_s}]
boost::json::array requests_json(const asking_view& asking);
void answer_requests(call& call, const asking_view* asking);

/// {code, approve, role}
void answer_decision(call& call, asking_view* asking, const std::string& body);

/// {asking: {code, member, member_id, mesh_id, approved, confirmed} | null}
boost::json::object own_request_json(const asking_view& asking);
void answer_own_request(call& call, const asking_view* asking);

/// {confirm, code}
void answer_confirmation(call& call, asking_view* asking, const std::string& body);

}  // namespace starling::api
