#include "api/model_control.hpp"

#include "api/json_body.hpp"
#include "api/model_rows.hpp"
#include "api/model_shelf.hpp"
#include "openai/errc.hpp"

#include <boost/json/serialize.hpp>

namespace starling::api {

namespace json = boost::json;

boost::asio::awaitable<void> answer_model_rows(call& call, const route::model_table& models, const mesh_view* mesh,
                                               model_shelf* shelf) {
    if (shelf != nullptr) {
        co_await shelf->look();
    }
    call.send_json(json::serialize(model_rows(models, mesh, shelf)));
}

boost::asio::awaitable<void> answer_model_wish(call& call, model_shelf* shelf, std::string body) {
    if (shelf == nullptr) {
        call.send_error(fail(engine::errc::unavailable, "This node has no model files to load."));
        co_return;
    }
    const auto parsed = read_body(call, body);
    if (!parsed) {
        co_return;
    }
    openai::complaints found;
    const openai::field_reader fields(parsed->get_object(), "", found);
    const std::string model(fields.required_string("model"));
    const std::string action(fields.required_string("action"));
    if (!found.any() && action != "load" && action != "unload") {
        fields.complain(openai::errc::invalid_value, "action", "'action' must be \"load\" or \"unload\".");
    }
    if (complain(call, found)) {
        co_return;
    }
    result<shelf_answer> done = shelf_answer{};
    if (action == "load") {
        auto loading = shelf->load(model);
        done = co_await std::move(loading);
    } else {
        done = shelf->unload(model);
    }
    if (!done) {
        call.send_error(done.error(), "model");
        co_return;
    }
    call.send(202, "application/json", json::serialize(json::object{{"id", done->id}, {"state", done->state}}));
}

}  // namespace starling::api
