#include "api/call.hpp"

#include "openai/error_body.hpp"

namespace starling::api {

http::response error_response(const error& why, std::string_view param, http::header_list headers) {
    const auto kind = openai::classify(why.code);
    http::response answer{kind.status, std::move(headers), openai::error_body(why, param)};
    answer.headers.emplace_back("content-type", "application/json");
    if (kind.retry_after_s > 0) {
        answer.headers.emplace_back("retry-after", std::to_string(kind.retry_after_s));
    }
    if (kind.status == 401) {
        answer.headers.emplace_back("www-authenticate", "Bearer");
    }
    return answer;
}

void call::answered_by(const engine::provenance& from) {
    if (!from.reason.empty()) {
        entry.detail = from.reason;
    }
    if (from.node.empty()) {
        return;
    }
    for (auto& [name, value] : headers) {
        if (name == "x-starling-node") {
            value = from.node;
        }
    }
}

void call::send(int status, std::string_view content_type, std::string body) {
    entry.status = status;
    http::response answer{status, headers, std::move(body)};
    answer.headers.emplace_back("content-type", content_type);
    writer.send(std::move(answer));
}

void call::send_error(const error& why, std::string_view param) {
    auto answer = error_response(why, param, headers);
    entry.status = answer.status;
    entry.detail = why.message;
    writer.send(std::move(answer));
}

void call::begin_events() {
    entry.status = 200;
    http::response head{200, headers, ""};
    head.headers.emplace_back("content-type", "text/event-stream; charset=utf-8");
    head.headers.emplace_back("cache-control", "no-cache");
    head.headers.emplace_back("x-accel-buffering", "no");  // nginx would hold the tokens back
    writer.begin(std::move(head));
}

}  // namespace starling::api
