// GET /api/models: what is on this machine's disk, what is served here, and what the mesh serves; one row for each id.
// Private to api.
#pragma once

#include "api/api.hpp"

#include <boost/json/array.hpp>

namespace starling::api {

class model_shelf;

/// Those that this node was told of, in that order, then other files, then what only others have. `mesh` and `shelf`
/// may be null. Reads no disk, so that it can be called often.
boost::json::array model_rows(const route::model_table& models, const mesh_view* mesh, model_shelf* shelf);

}  // namespace starling::api
