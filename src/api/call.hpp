// What belongs to one request while it is answered. Private to api.
#pragma once

#include "aio/call_context.hpp"
#include "api/api.hpp"
#include "api/routes.hpp"
#include "base/result.hpp"
#include "engine/types.hpp"
#include "http/handler.hpp"

#include <string>
#include <string_view>

namespace starling::api {

struct call {
    api::access_entry entry;
    route_entry route;
    std::chrono::steady_clock::time_point started;
    http::header_list headers;  // of every answer: who answered, request id, CORS
    http::response_writer& writer;

    aio::call_context context() const { return aio::call_context(entry.request_id); }
    double seconds_so_far() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    }

    /// Who generates the answer, for its headers and the log; nothing new when it is this node.
    void answered_by(const engine::provenance& from);

    /// Each of these answers the call.
    void send(int status, std::string_view content_type, std::string body);
    void send_json(std::string body) { send(200, "application/json", std::move(body)); }
    void send_error(const error& why, std::string_view param = {});
    void begin_events();
};

/// An error as an answer with its status and body, and Retry-After where that helps.
http::response error_response(const error& why, std::string_view param, http::header_list headers);

}  // namespace starling::api
