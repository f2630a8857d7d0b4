#include "api/json_body.hpp"

namespace starling::api {

std::optional<boost::json::value> read_body(call& call, const std::string& body) {
    auto parsed = openai::parse_body(body);
    if (parsed.has_error()) {
        call.send_error(parsed.error().why, parsed.error().param);
        return std::nullopt;
    }
    return std::move(*parsed);
}

bool complain(call& call, openai::complaints& found) {
    if (!found.any()) {
        return false;
    }
    const auto first = found.take();
    call.send_error(first.why, first.param);
    return true;
}

}  // namespace starling::api
