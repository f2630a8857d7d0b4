// A plan as /api/plan gives it. Pure. Called by: the API, and the command line where no node runs.
#pragma once

#include "api/mesh_view.hpp"

#include <boost/json.hpp>

namespace starling::api {

boost::json::object plan_json(const model_plan& from);

}  // namespace starling::api
