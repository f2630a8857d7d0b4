// A scripted server that looks like a node, for the tests of the client.
#pragma once

#include "fetch/tests/http_test_server.hpp"

#include <starling/client.hpp>

#include <string>
#include <string_view>

namespace starling::sdk::test {

using starling::test::http_connection;
using starling::test::http_request;
using starling::test::http_test_server;

inline const std::string node_id(64, 'a');
inline const std::string other_node_id(64, 'b');

inline std::string status_body() {
    return R"({"node_id":")" + node_id + R"(","name":"here","version":"0.1.0","mesh_id":null,)" +
           R"("models":[{"id":"small","state":"ready"},{"id":"large","state":"loading"}]})";
}

constexpr std::string_view models_body =
    R"({"object":"list","data":[{"id":"small","meta":{"context_length":2048}},{"id":"large","meta":{}},{"id":"far"}]})";

inline std::string stream_head(const std::string& served_by = node_id) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Starling-Node: " + served_by +
           "\r\nConnection: close\r\n\r\n";
}

inline std::string event(std::string_view delta) {
    return R"(data: {"model":"small","choices":[{"index":0,"delta":)" + std::string(delta) + "}]}\n\n";
}

inline std::string text(std::string_view piece) {
    return event(R"({"content":")" + std::string(piece) + "\"}");
}

inline std::string ending(const std::string& reason = "stop") {
    return R"(data: {"choices":[{"delta":{},"finish_reason":")" + reason + "\"}]}\n\n" +
           R"(data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,)" +
           R"("prompt_tokens_details":{"cached_tokens":3}}})" + "\n\ndata: [DONE]\n\n";
}

/// Answers status and models as a node does, and a chat with `chat`.
inline http_test_server::handler node_that(http_test_server::handler chat) {
    return [chat = std::move(chat)](http_connection& c, const http_request& request) {
        if (request.path == "/api/status") {
            c.answer(200, status_body());
        } else if (request.path == "/v1/models") {
            c.answer(200, models_body);
        } else {
            chat(c, request);
        }
    };
}

/// A chat that is answered with these bytes.
inline http_test_server::handler node_that_says(std::string bytes) {
    return node_that([bytes = std::move(bytes)](http_connection& c, const http_request&) {
        c.write(stream_head());
        c.write(bytes);
        c.close_after_this();
    });
}

inline http_test_server::handler node_that_refuses(int status, std::string_view code) {
    return node_that([status, body = R"({"error":{"message":"No, because.","code":")" + std::string(code) + "\"}}"](
                         http_connection& c, const http_request&) { c.answer(status, body); });
}

inline chat_request hello() {
    return {.messages = {{.content = "Hi"}}};
}

}  // namespace starling::sdk::test
