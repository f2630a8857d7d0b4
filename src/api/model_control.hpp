// /api/models: the rows of model_rows.hpp, and what a person wants to be loaded or unloaded. Private to api; the second
// is opened by the control token, as mesh_control.
#pragma once

#include "api/api.hpp"
#include "api/call.hpp"

#include <string>

namespace starling::api {

/// Waits for a look at the disk where the last one is old.
boost::asio::awaitable<void> answer_model_rows(call& call, const route::model_table& models, const mesh_view* mesh,
                                               model_shelf* shelf);

/// {model, action} → 202 {id, state}
boost::asio::awaitable<void> answer_model_wish(call& call, model_shelf* shelf, std::string body);

}  // namespace starling::api
